// The interactive charts of a report and its light and dark theme. Everything else on the page
// works without this file. The data is what chart_data.h describes.
(() => {
  'use strict';
  const charts = window.LightweightCharts;
  const data = JSON.parse(document.getElementById('data').textContent);
  const root = document.documentElement;
  const narrow = window.matchMedia('(max-width: 40rem)');
  const prefersDark = window.matchMedia('(prefers-color-scheme: dark)');
  const colorOf = (name) => getComputedStyle(root).getPropertyValue('--' + name).trim();
  const repaints = [];  // one function per chart, called when the theme changes

  // --- Theme ------------------------------------------------------------------------------------

  const themeButton = document.getElementById('theme');
  // Some browsers refuse storage to local files; the choice then lasts as long as the page.
  const stored = {
    get() { try { return localStorage.getItem('almanac-theme'); } catch { return null; } },
    set(value) { try { localStorage.setItem('almanac-theme', value); } catch { /* see above */ } },
  };
  const isDark = () => (root.dataset.theme || (prefersDark.matches ? 'dark' : 'light')) === 'dark';
  function applyTheme() {
    themeButton.textContent = isDark() ? 'Light' : 'Dark';
    themeButton.setAttribute('aria-label', `Switch to ${isDark() ? 'light' : 'dark'} colours`);
    repaints.forEach((repaint) => repaint());
  }
  const choice = stored.get();
  if (choice === 'light' || choice === 'dark') root.dataset.theme = choice;
  themeButton.hidden = false;
  themeButton.addEventListener('click', () => {
    root.dataset.theme = isDark() ? 'light' : 'dark';
    stored.set(root.dataset.theme);
    applyTheme();
  });
  prefersDark.addEventListener('change', applyTheme);
  // Paper is white, and a chart cannot change its size in time: its picture is printed.
  const allCharts = [];
  let themeOnScreen;
  window.addEventListener('beforeprint', () => {
    themeOnScreen = root.dataset.theme;
    root.dataset.theme = 'light';
    applyTheme();
    for (const chart of allCharts) {
      const picture = chart.takeScreenshot();
      picture.className = 'paper';
      picture.removeAttribute('style');
      chart.chartElement().closest('.chart').after(picture);
    }
  });
  window.addEventListener('afterprint', () => {
    document.querySelectorAll('.paper').forEach((picture) => picture.remove());
    if (themeOnScreen) root.dataset.theme = themeOnScreen; else delete root.dataset.theme;
    applyTheme();
  });

  // --- Words ------------------------------------------------------------------------------------

  const two = (number) => String(number).padStart(2, '0');
  const months = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');
  function minuteText(seconds) {
    const date = new Date(seconds * 1000);
    return `${date.getUTCFullYear()}-${two(date.getUTCMonth() + 1)}-${two(date.getUTCDate())} ` +
        `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`;
  }
  function tickText(seconds, kind) {
    const date = new Date(seconds * 1000);
    if (kind === 0) return String(date.getUTCFullYear());
    if (kind === 1) return months[date.getUTCMonth()];
    if (kind === 2) return `${date.getUTCDate()} ${months[date.getUTCMonth()]}`;
    return `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`;
  }
  const numberText = (value, decimals) => value.toLocaleString('en-US', {
    minimumFractionDigits: decimals, maximumFractionDigits: decimals }).replace('-', '−');
  const percentText = (value) => numberText(value * 100, 2) + '%';
  function spanText(seconds) {
    for (const [size, unit] of [[86400, 'd'], [3600, 'h'], [60, 'min']]) {
      if (seconds >= size) return `${Number((seconds / size).toFixed(1))} ${unit}`;
    }
    return `${seconds} s`;
  }
  function element(name, className, text) {
    const result = document.createElement(name);
    if (className) result.className = className;
    if (text !== undefined) result.textContent = text;
    return result;
  }

  // --- Charts -----------------------------------------------------------------------------------

  const absolute = (differences) => {
    let sum = 0;
    return differences.map((difference) => (sum += difference));
  };

  function chartOptions() {
    return {
      layout: {
        background: { type: 'solid', color: colorOf('sheet') }, textColor: colorOf('quiet'),
        fontFamily: getComputedStyle(document.body).fontFamily, fontSize: 11,
        panes: { separatorColor: colorOf('rule'), enableResize: false },
      },
      grid: { vertLines: { color: colorOf('hair') }, horzLines: { color: colorOf('hair') } },
      rightPriceScale: { borderColor: colorOf('rule') },
      timeScale: { borderColor: colorOf('rule') },
      crosshair: {
        vertLine: { color: colorOf('faint'), labelBackgroundColor: colorOf('quiet') },
        horzLine: { color: colorOf('faint'), labelBackgroundColor: colorOf('quiet') },
      },
    };
  }

  function makeChart(box) {
    const host = box.querySelector('.chart');
    const chart = charts.createChart(host, {
      autoSize: true,
      localization: { locale: 'en-US', timeFormatter: (time) => minuteText(time) + ' UTC' },
      timeScale: { timeVisible: true, secondsVisible: false, tickMarkFormatter: tickText,
        minBarSpacing: 0.05, fixLeftEdge: true, fixRightEdge: true },
      // The wheel belongs to the page; dragging, pinching, keys and buttons move the chart.
      handleScroll: { mouseWheel: false, vertTouchDrag: false },
      handleScale: { mouseWheel: false },
      crosshair: { mode: charts.CrosshairMode.Normal },
    });
    chart.applyOptions(chartOptions());
    const logo = host.querySelector('#tv-attr-logo');
    if (logo) logo.rel = 'noreferrer';
    addKeys(host, chart);
    keepShown(host, chart);
    allCharts.push(chart);
    return chart;
  }

  function moveRange(chart, shift, scale) {
    const range = chart.timeScale().getVisibleLogicalRange();
    if (!range) return;
    const half = (range.to - range.from) / 2 * scale;
    const middle = (range.to + range.from) / 2 + shift * (range.to - range.from);
    chart.timeScale().setVisibleLogicalRange({ from: middle - half, to: middle + half });
  }

  // Shows bars [from, to] of the chart; again after its box changed size, which would else cut them.
  function showBars(chart, from, to) {
    chart.shownBars = { from: from - 0.5, to: to + 0.5 };
    chart.timeScale().setVisibleLogicalRange(chart.shownBars);
  }

  function keepShown(host, chart) {
    new ResizeObserver(() => requestAnimationFrame(() => {
      if (chart.shownBars) chart.timeScale().setVisibleLogicalRange(chart.shownBars);
    })).observe(host);
  }

  function addKeys(host, chart) {
    const actions = {
      ArrowLeft: () => moveRange(chart, -0.1, 1), ArrowRight: () => moveRange(chart, 0.1, 1),
      '+': () => moveRange(chart, 0, 0.7), '=': () => moveRange(chart, 0, 0.7),
      '-': () => moveRange(chart, 0, 1.4), End: () => chart.timeScale().scrollToRealTime(),
      Home: () => chart.timeScale().fitContent(),
    };
    host.addEventListener('keydown', (event) => {
      const action = actions[event.key];
      if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      action();
    });
  }

  function button(bar, text, className, onClick) {
    const result = element('button', className, text);
    result.type = 'button';
    result.addEventListener('click', () => onClick(result));
    bar.append(result);
    return result;
  }

  // A legend entry that shows and hides its series.
  function seriesButton(bar, name, color, dash, series) {
    const entry = button(bar, '', 'series', (self) => {
      const visible = self.getAttribute('aria-pressed') !== 'true';
      self.setAttribute('aria-pressed', String(visible));
      series().forEach((one) => one.applyOptions({ visible }));
    });
    entry.setAttribute('aria-pressed', 'true');
    const line = element('i', 'line ' + dash);
    line.style.borderColor = `var(--${color})`;
    entry.append(line, name);
  }

  function zoomButtons(bar, chart) {
    const pair = element('span', 'zoom');
    button(pair, '−', '', () => moveRange(chart, 0, 1.5)).setAttribute('aria-label', 'Zoom out');
    button(pair, '+', '', () => moveRange(chart, 0, 0.65)).setAttribute('aria-label', 'Zoom in');
    bar.append(element('span', 'gap'), pair);
  }

  function axisTitles(box, left, right) {
    const line = element('div', 'axes');
    line.append(element('span', '', left), element('span', '', right));
    box.querySelector('.chart').before(line);
  }

  function readoutPart(readout, name, value) {
    const part = element('span', '', name ? name + ' ' : '');
    part.append(element('b', '', value));
    readout.append(part);
  }

  const mostDots = 200;
  const lineStyles = { solid: 0, dotted: 1, dashed: 2 };
  const quietLine = { lastValueVisible: false, priceLineVisible: false,
    crosshairMarkerRadius: 3 };

  // --- Prices and forecasts ---------------------------------------------------------------------

  function forecastLook(forecast, models) {
    return forecast.naive ? { color: 'naive', dash: 'dotted', width: 1.5 } :
        { color: 'm' + models.indexOf(forecast.model) % 6, dash: 'solid', width: 1 };
  }

  function pricesChart(box) {
    const bar = box.querySelector('.toolbar');
    const readout = box.querySelector('.readout');
    const chart = makeChart(box);
    let shown = [];  // {series, paint} of the current market and view
    let dotted = [];  // lines that show a dot per forecast while there is room
    let market, view, times, models;

    function add(type, options, paint) {
      const series = chart.addSeries(type, { ...quietLine, ...options,
        priceFormat: { type: 'custom', minMove: 10 ** -market.decimals,
          formatter: (value) => numberText(value, market.decimals) } });
      const entry = { series, paint: () => series.applyOptions(paint()) };
      entry.paint();
      shown.push(entry);
      return series;
    }

    function addLine(values, at, look, extra) {
      const series = add(charts.LineSeries,
          { lineWidth: look.width, lineStyle: lineStyles[look.dash], ...extra },
          () => ({ color: colorOf(look.color) }));
      series.setData(at.map((time, i) => values[i] === null ? { time } :
          { time, value: values[i] }));
      return series;
    }

    function addForecast(forecast) {
      const at = absolute(forecast.t);
      const look = forecastLook(forecast, models);
      const lines = [addLine(forecast.p, at, look)];
      if (!forecast.naive) dotted.push(lines[0]);
      if (forecast.lo) {
        const edge = { ...look, dash: 'dotted', width: 1 };
        lines.push(addLine(forecast.lo, at, edge, { crosshairMarkerVisible: false }));
        lines.push(addLine(forecast.hi, at, edge, { crosshairMarkerVisible: false }));
      }
      forecast.rowAt = new Map(at.map((time, i) => [time, i]));
      return lines;
    }

    function showReadout(time) {
      const i = times.has(time) ? times.get(time) : view.c.length - 1;
      const when = times.has(time) ? time : view.at[i];
      const leads = new Set();
      readout.replaceChildren();
      readoutPart(readout, '', minuteText(when) + ' UTC');
      for (const [name, values] of [['open', view.o], ['high', view.h], ['low', view.l],
        ['close', view.c]]) {
        readoutPart(readout, name, numberText(values[i], market.decimals));
      }
      for (const forecast of view.f) {
        const row = forecast.rowAt.get(when);
        if (row === undefined || forecast.p[row] === null) continue;
        const lead = Array.isArray(forecast.made) ? forecast.made[row] : forecast.made;
        readoutPart(readout, forecast.model, `${numberText(forecast.p[row], market.decimals)} `);
        leads.add(spanText(lead));
      }
      if (leads.size) {
        readout.append(element('span', '', `forecast ${[...leads].join(', ')} before this close`));
      }
    }

    function zoomTo(bars) {
      const count = view.c.length;
      showBars(chart, Math.max(0, count - bars), count - 1);
    }

    function rangeButtons() {
      const count = view.c.length;
      for (const bars of [narrow.matches ? 50 : 120, 500].filter((bars) => bars < count)) {
        button(bar, `Last ${bars}`, 'range', () => zoomTo(bars));
      }
      button(bar, market.views.length > 1 && view.merged === 1 ?
          `Last ${numberText(count, 0)}` : 'All', 'range', () => zoomTo(count));
    }

    function show(newMarket, newView) {
      shown.forEach(({ series }) => chart.removeSeries(series));
      shown = [];
      dotted = [];
      bar.replaceChildren();
      market = newMarket;
      view = newView;
      view.at = view.at || absolute(view.t);
      times = new Map(view.at.map((time, i) => [time, i]));
      models = [...new Set(view.f.filter((f) => !f.naive).map((f) => f.model))];
      if (data.markets.length > 1) bar.append(marketPicker());
      const candles = add(charts.CandlestickSeries, {}, () => ({
        upColor: colorOf('sheet'), downColor: colorOf('candle-fill'),
        borderUpColor: colorOf('candle'), borderDownColor: colorOf('candle-fill'),
        wickUpColor: colorOf('candle'), wickDownColor: colorOf('candle-fill') }));
      candles.setData(view.at.map((time, i) => ({ time, open: view.o[i], high: view.h[i],
        low: view.l[i], close: view.c[i] })));
      seriesButton(bar, market.symbol, 'candle', '', () => [candles]);
      // The last series added is on top: naive lies below, the first model above all.
      const order = [...view.f].reverse().sort((a, b) => b.naive - a.naive);
      const lines = new Map(order.map((forecast) => [forecast, addForecast(forecast)]));
      for (const forecast of view.f) {
        const look = forecastLook(forecast, models);
        seriesButton(bar, forecast.model, look.color, look.dash, () => lines.get(forecast));
      }
      bar.append(element('span', 'gap'));
      if (market.views.length > 1) viewButtons();
      rangeButtons();
      zoomButtons(bar, chart);
      zoomTo(narrow.matches ? 50 : 120);
      box.querySelector('.axes span').textContent =
          `Price${market.currency ? ', ' + market.currency : ''} · ` + (view.merged > 1 ?
              `${view.merged} bars of ${market.timeframe} in each candle` :
              `bars of ${market.timeframe}`);
      if (view.c.length) showReadout();
    }

    function viewButtons() {
      for (const other of market.views) {
        const name = other.merged > 1 ? 'Whole time, merged' : 'Single bars';
        button(bar, name, 'range', () => show(market, other))
            .setAttribute('aria-pressed', String(other === view));
      }
    }

    function marketPicker() {
      const picker = element('select');
      picker.setAttribute('aria-label', 'Series');
      data.markets.forEach((one, i) => picker.append(
          new Option(`${one.symbol} ${one.timeframe}`, i, false, one === market)));
      picker.addEventListener('change', () => {
        const chosen = data.markets[picker.value];
        show(chosen, chosen.views[0]);
        bar.querySelector('select').focus();  // the toolbar was built anew
      });
      return picker;
    }

    chart.timeScale().subscribeVisibleLogicalRangeChange((range) => {
      const roomy = range !== null && range.to - range.from < mostDots;
      dotted.forEach((line) => line.applyOptions({ pointMarkersVisible: roomy,
        pointMarkersRadius: 2.2 }));
    });
    axisTitles(box, '', 'Time, UTC');
    chart.subscribeCrosshairMove((event) => { if (view.c.length) showReadout(event.time); });
    repaints.push(() => {
      chart.applyOptions(chartOptions());
      shown.forEach(({ paint }) => paint());
    });
    show(data.markets[0], data.markets[0].views[0]);
  }

  // --- Equity and drawdown ----------------------------------------------------------------------

  function curveLook(curve, strategies) {
    if (curve.role === 'benchmark') return { color: 'naive', dash: 'solid', width: 1.5 };
    const main = strategies.length ? strategies : [curve];
    const index = Math.max(0, main.findIndex((one) => curve.name.startsWith(one.name)));
    return curve.role === 'pessimistic' ? { color: 'm' + index % 6, dash: 'dashed', width: 1.5 } :
        { color: 'm' + index % 6, dash: 'solid', width: 2 };
  }

  function equityChart(box) {
    const bar = box.querySelector('.toolbar');
    const readout = box.querySelector('.readout');
    const equity = data.equity;
    const at = absolute(equity.t);
    const chart = makeChart(box);
    chart.applyOptions({ layout: { attributionLogo: false } });
    const strategies = equity.curves.filter((curve) => curve.role === 'strategy');
    const painted = [];

    function addLine(values, look, pane, format) {
      const series = chart.addSeries(charts.LineSeries, { ...quietLine, lineWidth: look.width,
        lineStyle: lineStyles[look.dash], priceFormat: format }, pane);
      series.setData(at.map((time, i) => ({ time, value: values[i] })));
      const paint = () => series.applyOptions({ color: colorOf(look.color) });
      paint();
      painted.push(paint);
      return series;
    }
    const money = { type: 'custom', minMove: 0.01,
      formatter: (value) => numberText(value, Math.abs(value) < 1000 ? 2 : 0) };
    const part = { type: 'custom', minMove: 0.0001,
      formatter: (value) => numberText(value * 100, 1) + '%' };
    [...equity.curves].reverse().forEach((curve) => {
      const look = curveLook(curve, strategies);
      curve.series = [addLine(curve.e, look, 0, money), addLine(curve.d, look, 1, part)];
    });
    for (const curve of equity.curves) {
      const look = curveLook(curve, strategies);
      seriesButton(bar, curve.name, look.color, look.dash, () => curve.series);
    }
    const showAll = () => showBars(chart, 0, at.length - 1);
    button(bar, 'All', 'range', showAll);
    zoomButtons(bar, chart);
    const panes = chart.panes();
    panes[0].setStretchFactor(2.2);
    panes[1].setStretchFactor(1);

    const indexAt = new Map(at.map((time, i) => [time, i]));
    function showReadout(time) {
      const i = indexAt.has(time) ? indexAt.get(time) : at.length - 1;
      readout.replaceChildren();
      readoutPart(readout, '', minuteText(at[i]) + ' UTC');
      for (const curve of equity.curves) {
        readoutPart(readout, curve.name,
            `${numberText(curve.e[i], 2)} (drawdown ${percentText(curve.d[i])})`);
      }
    }
    chart.subscribeCrosshairMove((event) => showReadout(event.time));
    axisTitles(box, `Account value${equity.currency ? ', ' + equity.currency : ''}; below: drawdown, %`,
        'Time, UTC');
    showReadout();
    showAll();
    repaints.push(() => {
      chart.applyOptions(chartOptions());
      painted.forEach((paint) => paint());
    });
  }

  const pricesBox = document.getElementById('prices-chart');
  if (pricesBox && data.markets.length) pricesChart(pricesBox);
  const equityBox = document.getElementById('equity-chart');
  if (equityBox && data.equity.t.length) equityChart(equityBox);
  applyTheme();
})();
