import type { Child } from 'hono/jsx'

/** An error with a title, above the form it concerns. Takes the focus. */
export function ErrorAlert({ title, children }: { title: string; children: Child }) {
  return (
    <div class="alert" role="alert" tabindex={-1} autofocus>
      <h2>{title}</h2>
      {children}
    </div>
  )
}

/** The reason of a refusal with a title. Takes the focus. */
export function ConflictNotice({ title, children }: { title: string; children: Child }) {
  return (
    <ErrorAlert title={title}>
      <p>{children}</p>
    </ErrorAlert>
  )
}

/** The reason of a refusal, without taking the focus. */
export function RefusalNotice({ children }: { children: Child }) {
  return (
    <div class="alert" role="alert">
      <p>{children}</p>
    </div>
  )
}

/** Success message of the preceding action. */
export function Flash({ children }: { children: Child }) {
  return (
    <p class="done" role="status">
      {children}
    </p>
  )
}
