/** The sheet of a report: readable in light and dark, on a telephone and on paper. The better a trial, the stronger its line: --rank is 0 for the best, 1 for the worst. */
export const STYLE = `
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --soft: #5b6570; --rule: #d5dae0; --accent: #0b5fbf; --faint: #9fb3c8; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ed; --paper: #15181c; --soft: #9aa5b1; --rule: #343b44; --accent: #6cb2ff; --faint: #4a5a6b; } }
body { margin: 0 auto; padding: 1rem; max-width: 72rem; background: var(--paper); color: var(--ink); font: 15px/1.45 system-ui, sans-serif; }
h1, h2, td, th, dd { overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: 0; } dt { color: var(--soft); } dd { margin: 0; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; } td, th { padding: .2rem .6rem .2rem 0; text-align: left; vertical-align: top; font-weight: normal; }
thead th { color: var(--soft); border-bottom: 1px solid var(--rule); } .trials { font-size: 13px; } .number { text-align: right; white-space: nowrap; }
.bars { width: 100%; max-width: 44rem; } .bars td:nth-child(2) { width: 60%; } .bar { display: inline-block; height: .8em; min-width: 1px; background: var(--accent); }
svg text { font: 11px system-ui, sans-serif; fill: var(--soft); } svg .name { fill: var(--ink); text-anchor: middle; } .end { text-anchor: end; } .middle { text-anchor: middle; }
.axis { stroke: var(--soft); } .grid { stroke: var(--rule); }
.line { fill: none; stroke: color-mix(in srgb, var(--faint) calc(var(--rank) * 100%), var(--accent)); stroke-width: calc(2px - var(--rank) * 1px); opacity: calc(1 - var(--rank) * .5); }
.dot { fill: color-mix(in srgb, var(--faint) calc(var(--rank) * 100%), var(--accent)); }
.line:hover { stroke: var(--ink); stroke-width: 3px; opacity: 1; }
`;
