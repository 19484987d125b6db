import type { Child } from 'hono/jsx'

/** Explains why the submitted form was refused. */
export function RefusalNotice({ children }: { children: Child }) {
  return (
    <div class="alert" role="alert">
      <p>{children}</p>
    </div>
  )
}

/** Why something was not done, above what it concerns: takes the focus. */
export function ConflictNotice({ title, children }: { title: string; children: Child }) {
  return (
    <div class="alert" role="alert" tabindex={-1} autofocus>
      <h2>{title}</h2>
      <p>{children}</p>
    </div>
  )
}
