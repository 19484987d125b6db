import { paths } from '../../http/links.ts'
import { doorAppMessages } from '../../i18n/door-app.ts'
import type { Locale } from '../../lib/config.ts'

/**
 * The elements that src/client/door/door.js fills, with its translations; hidden until the script runs. Contains no data
 * of people or the workshop, because phones cache it for offline use.
 */
export function DoorAppShell({ locale }: { locale: Locale }) {
  const t = doorAppMessages(locale)
  return (
    <>
      <p id="door-note" class="note-box" role="status" hidden />
      <section id="door-over" class="door-over" role="alert" hidden />
      <div id="door-app" data-texts={JSON.stringify(t.script)} hidden>
        <h1 id="door-title">{t.title}</h1>
        <p class="door-line">
          <span id="door-counts" />
          <span id="door-net" role="status" />
        </p>
        <section id="door-refused" class="door-conflicts" aria-labelledby="door-refused-title" hidden>
          <h2 id="door-refused-title">{t.refusedTitle}</h2>
          <p />
          <button type="button" id="door-send-again" class="second">
            {t.sendAgain}
          </button>
        </section>
        <section id="door-conflicts" class="door-conflicts" aria-labelledby="door-conflicts-title" hidden>
          <h2 id="door-conflicts-title">{t.conflictsTitle}</h2>
          <ul />
        </section>
        <div id="door-camera" class="door-camera" hidden>
          <video id="door-video" muted playsinline />
          <button type="button" id="door-torch" class="second" aria-pressed="false" hidden>
            {t.torch}
          </button>
        </div>
        <button type="button" id="door-scan">
          {t.script.scan}
        </button>
        <div class="field">
          <label for="door-search">{t.searchLabel}</label>
          <input
            id="door-search"
            type="search"
            autocomplete="off"
            autocapitalize="off"
            spellcheck={false}
            enterkeyhint="search"
            aria-describedby="door-search-hint"
            aria-controls="door-people"
          />
          <small id="door-search-hint">{t.searchHint}</small>
        </div>
        <ul id="door-people" class="door-people" />
        <p id="door-none" class="lead" hidden>
          {t.none}
        </p>
        <p id="door-more" class="hint" hidden>
          {t.more}
        </p>
        <details class="door-walk-in">
          <summary>{t.walkIn}</summary>
          <form id="door-walk-in">
            <div class="field">
              <label for="door-name">{t.walkInName}</label>
              <input id="door-name" name="name" type="text" maxlength={80} required autocomplete="off" />
            </div>
            <div class="field">
              <label for="door-phone">{t.walkInPhone}</label>
              <input id="door-phone" name="phone" type="tel" maxlength={40} autocomplete="off" />
            </div>
            <p class="hint">{t.walkInConsent}</p>
            <button type="submit">{t.walkInSubmit}</button>
          </form>
        </details>
        <div id="door-card" class="door-card" role="status" aria-live="assertive" />
      </div>
    </>
  )
}

export function EndSessionForm({ locale }: { locale: Locale }) {
  return (
    <form id="door-leave" class="door-leave" method="post" action={paths.doorEnd()}>
      <button type="submit" class="second">
        {doorAppMessages(locale).leave}
      </button>
    </form>
  )
}
