/// The style sheet of pages: light and dark, from a phone to a wide window.
enum PageStyle {
  static let sheet: HTML = """

    :root {
      --page: #f6f6f3; --card: #ffffff; --ink: #20242b; --faint: #656c78; --line: #e3e3dd; --accent: #0072b2;
      --wrong: #d55e00; --dark: #15181d; --s0: #0072b2; --s1: #d55e00; --s2: #008a63; --s3: #b8568f; --s4: #b57a00;
      --s5: #3d97cc; --s6: #555555;
    }
    @media (prefers-color-scheme: dark) {
      :root {
        --page: #0f1115; --card: #191c22; --ink: #e8e9ec; --faint: #9aa1ad; --line: #2b3038; --accent: #5ab6f0;
        --wrong: #f0904c; --s0: #5ab6f0; --s1: #f08a45; --s2: #3fcf9f; --s3: #e79ac6; --s4: #f0bb3f;
        --s5: #9bd4f5; --s6: #b5b9c0;
      }
    }
    * { box-sizing: border-box; }
    html { -webkit-text-size-adjust: 100%; scroll-behavior: smooth; }
    @media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
    body {
      margin: 0; background: var(--page); color: var(--ink); overflow-wrap: anywhere;
      font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
    }
    header, main, footer { max-width: 1120px; margin: 0 auto; padding: 0 20px; }
    header { padding-top: 44px; }
    .brand { display: flex; align-items: center; gap: 12px; color: var(--faint); font-size: 15px; }
    .brand svg { width: 44px; height: 44px; flex: none; background: var(--dark); border-radius: 9px; }
    h1 { font-size: clamp(28px, 5vw, 44px); line-height: 1.1; letter-spacing: -.02em; margin: 14px 0 6px; }
    .subtitle { color: var(--faint); margin: 0 0 24px; max-width: 62ch; }
    nav { display: flex; gap: 6px; overflow-x: auto; margin: 22px -20px 0; padding: 4px 20px; }
    nav a {
      flex: none; padding: 6px 14px; border: 1px solid var(--line); border-radius: 99px; background: var(--card);
      color: var(--ink); text-decoration: none; font-size: 14px;
    }
    nav a:hover, nav a:focus-visible { border-color: var(--accent); color: var(--accent); }
    section { padding: 34px 0 6px; }
    h2 { font-size: 25px; letter-spacing: -.01em; line-height: 1.2; margin: 0 0 4px; }
    h3 { font-size: 15px; margin: 0 0 8px; }
    .lead { color: var(--faint); margin: 0 0 18px; max-width: 72ch; }
    .tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; }
    .tile, .card { background: var(--card); border: 1px solid var(--line); border-radius: 14px; min-width: 0; }
    .tile { padding: 14px 16px; display: flex; flex-direction: column; }
    .tile b { font-size: 30px; line-height: 1.15; letter-spacing: -.02em; font-variant-numeric: tabular-nums; }
    .tile span { font-size: 14px; }
    .tile small { color: var(--faint); font-size: 12.5px; line-height: 1.35; margin-top: 3px; }
    .cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 330px), 1fr)); gap: 16px; }
    .card { padding: 16px 18px; }
    .card.fitting { width: fit-content; max-width: 100%; }
    .card p { color: var(--faint); font-size: 14px; margin: 8px 0 0; }
    .strips { display: grid; gap: 14px; }
    .strips.pair { grid-template-columns: repeat(auto-fit, minmax(min(100%, 400px), 1fr)); }
    figure { margin: 0; background: var(--dark); border-radius: 14px; overflow: hidden; }
    figure .scroll { overflow-x: auto; }
    figure img { display: block; width: 100%; height: auto; }
    figure .strip img { min-width: 780px; }
    figcaption { color: #c9cdd4; font-size: 13.5px; padding: 9px 14px 11px; }
    figcaption b { color: #fff; font-weight: 600; }
    .scroll { overflow-x: auto; }
    table { border-collapse: collapse; font-size: 15px; font-variant-numeric: tabular-nums; width: 100%; }
    th, td { padding: 7px 12px; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
    th:first-child { text-align: left; padding-left: 0; }
    th { font-weight: 500; color: var(--faint); }
    tbody th { color: var(--ink); font-weight: 400; white-space: normal; }
    thead th { white-space: normal; overflow-wrap: normal; }
    tr:last-child th, tr:last-child td { border-bottom: 0; }
    table.confusion { width: auto; }
    .confusion td, .confusion th { text-align: center; border: 0; padding: 10px 12px; min-width: 58px; }
    .confusion th:first-child { text-align: right; }
    .confusion td { border: 2px solid var(--card); border-radius: 8px; }
    .confusion .axis { color: var(--faint); font-size: 13px; }
    .confusion td.right { background: color-mix(in srgb, var(--accent) calc(var(--share) * 45%), var(--page)); }
    .confusion td.wrong { background: color-mix(in srgb, var(--wrong) calc(var(--share) * 100%), var(--page)); }
    .legend { display: flex; flex-wrap: wrap; gap: 2px 14px; list-style: none; margin: 0 0 6px; padding: 0; font-size: 13px; }
    .legend li::before {
      content: ""; display: inline-block; width: 14px; height: 3px; border-radius: 2px; margin-right: 6px;
      vertical-align: middle; background: var(--color);
    }
    .legend b { font-weight: 600; font-variant-numeric: tabular-nums; }
    .s0 { --color: var(--s0); } .s1 { --color: var(--s1); } .s2 { --color: var(--s2); } .s3 { --color: var(--s3); }
    .s4 { --color: var(--s4); } .s5 { --color: var(--s5); } .s6 { --color: var(--s6); }
    .card svg { display: block; width: 100%; height: auto; overflow: visible; }
    svg text { font-size: 12.5px; fill: var(--faint); font-variant-numeric: tabular-nums; }
    svg .grid { stroke: var(--line); } svg .tick, svg .axis { stroke: var(--faint); fill: none; }
    svg .rule { stroke: var(--faint); stroke-dasharray: 3 4; }
    svg .line { fill: none; stroke: var(--color); stroke-width: 1.8; stroke-linejoin: round; }
    svg circle { fill: var(--color); }
    .missing {
      margin: 0 0 12px; padding: 10px 14px; border-left: 3px solid var(--wrong); background: var(--card);
      border-radius: 0 10px 10px 0; font-size: 14.5px;
    }
    details { margin-top: 16px; }
    summary { cursor: pointer; color: var(--accent); }
    code { font: 13.5px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
    .settings { table-layout: fixed; }
    .settings th, .settings td { text-align: left; white-space: normal; overflow-wrap: anywhere; padding-left: 0; }
    .settings th:nth-child(2) { width: 30%; }
    .settings th:nth-child(3) { width: 18%; }
    .settings td:last-child { color: var(--faint); }
    footer { color: var(--faint); font-size: 13.5px; padding-top: 26px; padding-bottom: 60px; }
    @media (max-width: 520px) {
      header, main, footer { padding-left: 16px; padding-right: 16px; }
      header { padding-top: 26px; }
      nav { margin-left: -16px; margin-right: -16px; padding-left: 16px; padding-right: 16px; }
      .tiles { grid-template-columns: 1fr 1fr; gap: 10px; }
      .tile { padding: 12px 13px; } .tile b { font-size: 25px; }
      .tile:last-child:nth-child(odd) { grid-column: 1 / -1; }
      .card { padding: 14px; }
      figure .strip img { min-width: 640px; }
      th, td { padding: 7px 8px; }
    }
    @media print { nav { display: none; } .card, .tile, figure { break-inside: avoid; } }

    """
}
