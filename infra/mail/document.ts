/** How serious a mail is; chooses its colour. */
export type Tone = 'notice' | 'warning' | 'stopped';

/** One part of a mail: a heading, then paragraphs, then a list (numbered when it is in order). */
export interface MailSection {
  readonly title: string;
  readonly paragraphs?: readonly string[];
  readonly list?: readonly string[];
  readonly ordered?: boolean;
}

/** A mail before it becomes text and HTML, so that both say the same. All strings are plain text. */
export interface MailDocument {
  readonly language: string;
  readonly tone: Tone;
  readonly subject: string;
  readonly preview: string;
  readonly badge: string;
  readonly headline: string;
  readonly greeting: string;
  readonly lead: string;
  readonly facts: readonly (readonly [label: string, value: string])[];
  readonly sections: readonly MailSection[];
  readonly action: { readonly label: string; readonly href: string };
  readonly closing: string;
  readonly footer: string;
}

/** What each kind of mail has of its own; the rest is the same for all. */
export type MailPart = Omit<
  MailDocument,
  'language' | 'preview' | 'greeting' | 'action' | 'footer'
>;

/** The plain text part: complete without the HTML part. */
export function documentText(document: MailDocument): string {
  const blocks = [
    document.headline,
    document.greeting,
    document.lead,
    document.facts.map(([label, value]) => `${label}: ${value}`).join('\n'),
    ...document.sections.map(sectionText),
    `${document.action.label}:\n${document.action.href}`,
    document.closing,
    `-- \n${document.footer}`,
  ];
  return `${blocks.join('\n\n')}\n`;
}

function sectionText({ title, paragraphs = [], list = [], ordered = false }: MailSection): string {
  const items = list.map((item, index) => (ordered ? `${index + 1}. ${item}` : `- ${item}`));
  return [title.toUpperCase(), ...paragraphs, ...items].join('\n');
}
