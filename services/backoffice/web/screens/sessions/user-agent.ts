type Told = { readonly browser: string | undefined; readonly system: string | undefined };

/** Most special first: nearly every browser calls itself the others too. */
const browsers = [
  [/\bEdg(?:e|A|iOS)?\//, 'Edge'],
  [/\bOPR\//, 'Opera'],
  [/\bSamsungBrowser\//, 'Samsung Internet'],
  [/\b(?:Firefox|FxiOS)\//, 'Firefox'],
  [/\b(?:Chrome|CriOS|HeadlessChrome)\//, 'Chrome'],
  [/\bVersion\/[\d.]+ .*Safari\//, 'Safari'],
] as const;

const systems = [
  [/\biPhone\b/, 'iPhone'],
  [/\biPad\b/, 'iPad'],
  [/\bAndroid\b/, 'Android'],
  [/\bWindows\b/, 'Windows'],
  [/\bMac OS X\b|\bMacintosh\b/, 'macOS'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bLinux\b|\bX11\b/, 'Linux'],
] as const;

/** Browser and system by name, as far as what a browser calls itself tells them. For people to know their own by, not for decisions. */
export function readUserAgent(userAgent: string | null): Told {
  const first = (known: readonly (readonly [RegExp, string])[]) =>
    known.find(([pattern]) => userAgent !== null && pattern.test(userAgent))?.[1];
  return { browser: first(browsers), system: first(systems) };
}
