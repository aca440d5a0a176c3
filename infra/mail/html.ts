import { readFile } from 'node:fs/promises';

import mjml2html from 'mjml';

import type { MailDocument, MailSection, Tone } from './document.ts';
import { escapeHtml } from './formats.ts';

// White on each of these has a contrast above 4.5:1.
const badgeBackgrounds = {
  notice: '#1d5fa8',
  warning: '#9a5b00',
  stopped: '#b3261e',
} as const satisfies Record<Tone, string>;

let layout: Promise<string> | undefined;

/** The HTML part. The layout is compiled from MJML once per process; what comes from data is escaped on its way in. */
export async function documentHtml(document: MailDocument): Promise<string> {
  layout ??= compileLayout();
  const slots: Record<string, string> = {
    language: escapeHtml(document.language),
    subject: escapeHtml(document.subject),
    preview: escapeHtml(document.preview),
    badgeBackground: badgeBackgrounds[document.tone],
    badge: escapeHtml(document.badge),
    headline: escapeHtml(document.headline),
    greeting: escapeHtml(document.greeting),
    lead: escapeHtml(document.lead),
    facts: document.facts.map(factHtml).join(''),
    sections: document.sections.map(sectionHtml).join(''),
    href: escapeHtml(document.action.href),
    actionLabel: escapeHtml(document.action.label),
    closing: escapeHtml(document.closing),
    footer: escapeHtml(document.footer),
  };
  // One pass over the layout alone: a slot's name inside an alias stays text.
  return (await layout).replace(/\[\[(\w+)\]\]/g, (_, name: string) => {
    const content = slots[name];
    if (content === undefined) throw new Error(`The mail layout has an unknown slot: ${name}`);
    return content;
  });
}

async function compileLayout(): Promise<string> {
  const source = await readFile(new URL('./layout.mjml', import.meta.url), 'utf8');
  // No fonts: MJML would otherwise have mail clients fetch them from elsewhere.
  const { html } = await mjml2html(source, {
    validationLevel: 'strict',
    minify: false,
    keepComments: true,
    ignoreIncludes: true,
    fonts: {},
  });
  return html;
}

const cellStyle =
  'border-bottom:1px solid #e6eaef;padding:8px 0;vertical-align:top;text-align:left;';

function factHtml([label, value]: readonly [string, string]): string {
  return (
    `<tr><td class="label" width="36%" style="${cellStyle}padding-right:16px;">${escapeHtml(label)}</td>` +
    `<td class="value" style="${cellStyle}font-weight:600;word-break:break-word;">${escapeHtml(value)}</td></tr>`
  );
}

function sectionHtml({ title, paragraphs = [], list = [], ordered = false }: MailSection): string {
  const element = ordered ? 'ol' : 'ul';
  const items = list.map((item) => `<li>${escapeHtml(item)}</li>`).join('');
  return (
    `<h2 style="margin:0 0 6px;font-size:17px;line-height:24px;font-weight:650;">${escapeHtml(title)}</h2>` +
    paragraphs.map((line) => `<p class="paragraph">${escapeHtml(line)}</p>`).join('') +
    (list.length > 0 ? `<${element} class="list">${items}</${element}>` : '') +
    '<div style="height:16px;line-height:16px;">&nbsp;</div>'
  );
}
