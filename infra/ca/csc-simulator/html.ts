/** A piece of markup, so that text and markup cannot be taken for one another. */
export class Html {
  readonly markup: string;

  constructor(markup: string) {
    this.markup = markup;
  }
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escape = (text: string): string => text.replace(/[&<>"]/g, (each) => entities[each] ?? each);

type Part = string | number | Html | readonly Html[] | undefined;

const render = (part: Part): string => {
  if (part === undefined) return '';
  if (part instanceof Html) return part.markup;
  return typeof part === 'object' ? part.map(render).join('') : escape(part.toString());
};

/** A template whose values are escaped unless they are markup themselves. */
export const html = (strings: TemplateStringsArray, ...parts: readonly Part[]): Html =>
  new Html(strings.reduce((all, text, index) => all + render(parts[index - 1]) + text));

/** A whole page. Every one says that this is a simulator. */
export function page(title: string, content: Html): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title} - CA simulator</title>
        <link rel="stylesheet" href="/simulator/style.css" />
      </head>
      <body>
        <header>
          <p class="notice">
            <strong>This is a simulator</strong> of a certificate authority, for development.
            Nothing signed here has legal value; use no real password or PIN.
          </p>
        </header>
        <main>
          <h1>${title}</h1>
          ${content}
        </main>
      </body>
    </html>`.markup;
}

export const style = `
:root { color-scheme: light dark; font: 100%/1.5 system-ui, sans-serif; }
body { margin: 0; }
header { background: #7a4a00; color: #fff; padding: 0.25rem 1rem; }
header p, main { max-width: 44rem; margin: 0.5rem auto; }
main { padding: 0 1rem 2rem; }
label { display: block; margin-top: 0.75rem; }
fieldset { margin: 1rem 0; border: 1px solid currentcolor; border-radius: 0.25rem; }
fieldset label { margin-top: 0.25rem; }
input[type='email'], input[type='password'], input[type='number'] { display: block; font: inherit; padding: 0.4rem; width: 100%; max-width: 22rem; box-sizing: border-box; }
button { font: inherit; padding: 0.5rem 1.25rem; margin: 1rem 0.5rem 0 0; min-height: 2.75rem; }
.error { border-left: 0.3rem solid #c00; padding-left: 0.75rem; }
.code { font: 700 1.75rem/1.2 ui-monospace, monospace; letter-spacing: 0.15em; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: 0.3rem 0.75rem 0.3rem 0; border-bottom: 1px solid #8888; vertical-align: top; }
`;
