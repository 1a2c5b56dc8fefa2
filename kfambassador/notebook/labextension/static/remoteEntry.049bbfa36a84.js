// The door into JupyterLab 4: a prebuilt extension, written by hand, that no build has made.
//
// JupyterLab loads this script, hands it the modules that it shares (init) and asks for the extension (get). All that
// is here knows JupyterLab and nothing of routes; the panel itself is loaded when somebody opens it, from our part of
// the Jupyter server, at an address that is another after each upgrade.

(() => {
  "use strict";

  const PANEL = "kfambassador-panel";
  const SHOW = "kfambassador:show-routes";
  const OPEN = "kfambassador:open-routes";
  const LABEL = "kfambassador routes";
  const ICON = `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16" viewBox="0 0 16 16">
    <g class="jp-icon3 jp-icon-selectable" fill="none" stroke="#616161" stroke-width="1.5" stroke-linecap="round">
      <path d="M2 8h4c3 0 2-4.5 5-4.5h2M6 8h7M6 8c3 0 2 4.5 5 4.5h2"/></g></svg>`;

  let scope = null;

  /** Take a module that JupyterLab shares. */
  async function take(name) {
    const versions = Object.values(scope[name] ?? {});
    if (versions.length === 0) throw new Error(`kfambassador: this JupyterLab does not share ${name}`);
    // What is in use already is the one whose tokens the others know.
    const entry = versions.find((each) => each.loaded) ?? versions[versions.length - 1];
    return (await entry.get())();
  }

  /** Load the panel from our part of the Jupyter server, and its styles with it. */
  async function load(send, baseUrl) {
    const answer = await send("front-end");
    if (!answer.ok) throw new Error(String(answer.status));
    const told = await answer.json();
    const place = new URL(told.path, new URL(baseUrl, document.baseURI)).href;
    for (const style of told.styles) {
      const href = place + style;
      if ([...document.querySelectorAll("link[data-kfambassador]")].some((each) => each.href === href)) continue;
      const link = document.createElement("link");
      Object.assign(link, { rel: "stylesheet", href });
      link.dataset.kfambassador = "";
      document.head.append(link);
    }
    return import(`${place}panel.js`);
  }

  /** A place in JupyterLab that shows the panel, loads it the first time, and tells it whether it can be seen. */
  function makeWidget(Widget, host) {
    return class extends Widget {
      constructor() {
        super();
        this.addClass("kfa-panel-place");
        this.node.tabIndex = -1;
        Object.assign(this.node.style, { overflow: "hidden", outline: "none" });
        this.panel = null;
        this.loading = false;
        this.onSight = () => this.look();
        document.addEventListener("visibilitychange", this.onSight);
      }

      onAfterShow() {
        this.look();
      }

      onAfterHide() {
        this.look();
      }

      onAfterAttach() {
        this.look();
      }

      onAfterDetach() {
        this.look();
      }

      onActivateRequest() {
        this.node.focus();
      }

      dispose() {
        document.removeEventListener("visibilitychange", this.onSight);
        this.panel?.destroy();
        this.panel = null;
        super.dispose();
      }

      look() {
        const isSeen = this.isVisible && document.visibilityState !== "hidden";
        if (this.panel) this.panel.look(isSeen);
        else if (isSeen && !this.loading) this.fill();
      }

      async fill() {
        this.loading = true;
        this.node.textContent = "";
        try {
          const { mountPanel } = await load(host.send, host.baseUrl);
          const root = document.createElement("div");
          root.style.height = "100%";
          if (this.isDisposed) return;
          this.node.append(root);
          this.panel = mountPanel(root, host.choose(this));
        } catch (error) {
          console.error(error);
          this.sayFault(error.message === "404");
        }
        this.loading = false;
        if (this.panel) this.look();
      }

      sayFault(isMissing) {
        const words = document.createElement("p");
        words.setAttribute("role", "alert");
        words.style.padding = "12px";
        words.textContent = isMissing
          ? "The server's part of kfambassador is not enabled. Enable it and start JupyterLab again: " +
            "jupyter server extension enable kfambassador.notebook.server"
          : "The Jupyter server does not answer. ";
        const again = document.createElement("button");
        again.className = "jp-mod-styled jp-Button";
        again.textContent = "Try again";
        again.addEventListener("click", () => this.fill());
        this.node.append(words, again);
      }
    };
  }

  async function makePlugin() {
    const names = ["@jupyterlab/application", "@jupyterlab/apputils", "@jupyterlab/services", "@jupyterlab/ui-components"];
    const [application, apputils, services, components, lumino] = await Promise.all([...names, "@lumino/widgets"].map(take));
    const { ILayoutRestorer } = application;
    const { ICommandPalette, MainAreaWidget, WidgetTracker } = apputils;
    const { ServerConnection } = services;
    const icon = new components.LabIcon({ name: "kfambassador:routes", svgstr: ICON });

    function activate(app, palette, restorer) {
      const settings = app.serviceManager.serverSettings;
      // Token, XSRF cookie and the path behind a proxy are JupyterLab's business.
      const send = (path, init = {}) =>
        ServerConnection.makeRequest(`${settings.baseUrl}kfambassador/api/${path}`, init, settings);
      const canOpenTabs = Boolean(app.shell.currentChanged && app.name !== "Jupyter Notebook");
      const openWide = canOpenTabs ? () => app.commands.execute(OPEN) : null;
      const choose = (widget) => ({ send, compact: widget.id === PANEL, openWide: widget.id === PANEL ? openWide : null });
      const Place = makeWidget(lumino.Widget, { send, baseUrl: settings.baseUrl, choose });

      const panel = new Place();
      panel.id = PANEL;
      panel.title.icon = icon;
      panel.title.caption = LABEL;
      panel.node.setAttribute("role", "region");
      panel.node.setAttribute("aria-label", LABEL);
      app.shell.add(panel, "left", { rank: 640, type: "kfambassador" });
      restorer?.add(panel, PANEL);
      app.commands.addCommand(SHOW, {
        label: "kfambassador: show routes",
        icon,
        execute: () => app.shell.activateById(PANEL),
      });
      palette?.addItem({ command: SHOW, category: "kfambassador" });
      if (canOpenTabs) addTab(app, Place, palette, restorer);
    }

    function addTab(app, Place, palette, restorer) {
      const tracker = new WidgetTracker({ namespace: "kfambassador-routes" });
      app.commands.addCommand(OPEN, {
        label: "kfambassador: open routes as a tab",
        icon,
        execute: () => {
          let tab = tracker.currentWidget;
          if (!tab || tab.isDisposed) {
            tab = new MainAreaWidget({ content: new Place() });
            tab.id = "kfambassador-routes";
            Object.assign(tab.title, { label: LABEL, icon, closable: true });
            tracker.add(tab);
          }
          if (!tab.isAttached) app.shell.add(tab, "main");
          app.shell.activateById(tab.id);
          return tab;
        },
      });
      palette?.addItem({ command: OPEN, category: "kfambassador" });
      restorer?.restore(tracker, { command: OPEN, name: () => "routes" });
    }

    return {
      id: "kfambassador:panel",
      description: "See, test and split the routes of a kfambassador gateway.",
      autoStart: true,
      optional: [ICommandPalette, ILayoutRestorer],
      activate,
    };
  }

  window._JUPYTERLAB = window._JUPYTERLAB ?? {};
  window._JUPYTERLAB.kfambassador = {
    init(shared) {
      scope = shared;
    },
    async get(module) {
      if (module !== "./extension") throw new Error(`kfambassador has no module ${module}`);
      const plugin = await makePlugin();
      return () => ({ __esModule: true, default: plugin });
    },
  };
})();
