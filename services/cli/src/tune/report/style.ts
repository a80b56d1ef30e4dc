/** The sheet of a report: readable in light and dark, on a telephone and on paper. The better a trial, the stronger its line: --rank is 0 for the best, 1 for the worst. */
export const STYLE = `
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --soft: #5b6570; --rule: #d5dae0; --accent: #0b5fbf; --faint: #9fb3c8; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ed; --paper: #15181c; --soft: #9aa5b1; --rule: #343b44; --accent: #6cb2ff; --faint: #4a5a6b; } }
body { margin: 0 auto; padding: 1rem; max-width: 72rem; background: var(--paper); color: var(--ink); font: 15px/1.45 system-ui, sans-serif; overflow-wrap: break-word; }
h1, h2, dt, dd, .bars th { overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
dl { display: grid; grid-template-columns: fit-content(18rem) minmax(0, 1fr); gap: .15rem 1rem; margin: 0; } dt { color: var(--soft); } dd { margin: 0; }
pre { margin: 0; padding: .4rem .6rem; border-left: 3px solid var(--rule); font: 13px/1.4 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; } p:has(+ pre) { margin-bottom: .2rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; } td, th { padding: .2rem .6rem .2rem 0; text-align: left; vertical-align: top; font-weight: normal; }
thead th { color: var(--soft); border-bottom: 1px solid var(--rule); } .number { text-align: right; white-space: nowrap; }
.trials { border-collapse: separate; border-spacing: 0; font-size: 13px; white-space: nowrap; }
.trials td:first-child, .trials th:first-child { position: sticky; left: 0; background: var(--paper); }
.bars { width: 100%; max-width: 44rem; } .bars td:nth-child(2) { width: 60%; } .bar { display: inline-block; height: .8em; min-width: 1px; background: var(--accent); }
@media (max-width: 30rem) { dl { grid-template-columns: minmax(0, 1fr); gap: 0; } dd { margin-bottom: .4rem; } .bars tr { display: grid; grid-template-columns: 1fr 4rem; } .bars th { grid-column: 1 / -1; } .bars td:nth-child(2) { width: auto; } }
svg text { font: 11px system-ui, sans-serif; fill: var(--soft); paint-order: stroke; stroke: var(--paper); stroke-width: 4px; stroke-linejoin: round; }
svg .tick { fill: var(--ink); } svg .name { fill: var(--ink); text-anchor: middle; } .end { text-anchor: end; } .middle { text-anchor: middle; }
.axis { stroke: var(--soft); } .grid { stroke: var(--rule); }
.trial { --color: color-mix(in srgb, var(--faint) calc(var(--rank) * 100%), var(--accent)); opacity: calc(1 - var(--rank) * .55); }
.line, .mark { fill: none; stroke: var(--color); stroke-width: calc(2px - var(--rank) * 1px); }
.gap { stroke-dasharray: 1 4; opacity: .5; } .mark { stroke-width: calc(6px - var(--rank) * 2px); stroke-linecap: round; } .dot { fill: var(--color); }
.trial:hover { --color: var(--ink); opacity: 1; } .trial:hover .line { stroke-width: 3px; }
`;
