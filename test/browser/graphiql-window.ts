import type { Browser, BrowserContext, Page, WebSocket } from 'playwright-core';
import { expect } from 'vitest';

const queryEditor = `document.querySelector('.graphiql-query-editor .CodeMirror').CodeMirror`;
const tool = (index: number): string =>
  `document.querySelectorAll('.graphiql-editor-tool .CodeMirror')[${index}].CodeMirror`;
const responseEditor = `document.querySelector('.graphiql-response .CodeMirror').CodeMirror`;

/** One window of the GraphiQL page, worked as a person would, the editors' texts aside. */
export class GraphiqlWindow {
  readonly page: Page;
  readonly #context: BrowserContext;
  readonly #url: string;
  /** Requests and sockets to any host but the page's own, of all windows of this browser profile. */
  readonly otherHosts: string[];
  /** Errors of the page and of the browser about it, likewise. */
  readonly complaints: string[];
  readonly #sockets = new Set<WebSocket>();

  constructor(
    context: BrowserContext,
    page: Page,
    url: string,
    seen: { otherHosts: string[]; complaints: string[] },
  ) {
    this.#context = context;
    this.page = page;
    this.#url = url;
    this.otherHosts = seen.otherHosts;
    this.complaints = seen.complaints;
  }

  /** A fresh profile with one window on the page. */
  static async open(browser: Browser, url: string): Promise<GraphiqlWindow> {
    const context = await browser.newContext({ viewport: { width: 1400, height: 860 } });
    return await GraphiqlWindow.#load(context, url, { otherHosts: [], complaints: [] });
  }

  /** A second window of the same profile, as Ctrl-N opens it. */
  async another(): Promise<GraphiqlWindow> {
    return await GraphiqlWindow.#load(this.#context, this.#url, this);
  }

  static async #load(
    context: BrowserContext,
    url: string,
    seen: { otherHosts: string[]; complaints: string[] },
  ): Promise<GraphiqlWindow> {
    const page = await context.newPage();
    page.setDefaultTimeout(15_000);
    const window = new GraphiqlWindow(context, page, url, seen);
    window.#watch();
    await page.goto(url);
    await window.#until(`${queryEditor}.operations?.length > 0`);
    // The example's names are known once the schema is.
    await page.waitForSelector('.graphiql-query-editor .cm-def');
    return window;
  }

  #watch(): void {
    const { host } = new URL(this.#url);
    const check = (address: string): void => {
      if (!address.startsWith('data:') && new URL(address).host !== host) {
        this.otherHosts.push(address);
      }
    };
    this.page.on('request', (request) => check(request.url()));
    this.page.on('websocket', (socket) => {
      check(socket.url());
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    this.page.on('pageerror', (error) => this.complaints.push(error.message));
    this.page.on('console', (message) => {
      if (message.type() === 'error') this.complaints.push(message.text());
    });
  }

  openSockets(): number {
    return this.#sockets.size;
  }

  async tabs(): Promise<string[]> {
    return await this.page.locator('.graphiql-tab').allInnerTexts();
  }

  /** Brings a tab to the front; its name is that of its first operation. */
  async openTab(name: string): Promise<void> {
    // A window behind another has its timers slowed down.
    await this.page.bringToFront();
    await this.page.getByRole('tab', { name }).click();
    // The editor takes a moment to know the operations of another tab.
    await this.#until(`${queryEditor}.operations?.[0]?.name?.value === '${name}'`);
  }

  /** Presses the button; of several operations, chooses one. Waits for the first answer. */
  async run(operation?: string): Promise<void> {
    await this.page.bringToFront();
    await this.page.locator('.graphiql-execute-button').click();
    if (operation !== undefined) {
      await this.page.getByRole('menuitem', { name: operation, exact: true }).click();
    }
    await this.#until(`!document.querySelector('.graphiql-spinner')`);
    await this.#until(`${responseEditor}.getValue() !== ''`);
  }

  /** What the response pane shows. */
  async response(): Promise<unknown> {
    return JSON.parse(await this.#text(responseEditor)) as unknown;
  }

  async waitForResponse(part: string): Promise<void> {
    await expect.poll(() => this.#text(responseEditor), { timeout: 10_000 }).toContain(part);
  }

  async waitForText(text: string): Promise<void> {
    await expect
      .poll(() => this.page.locator('.fastim-notice').innerText(), { timeout: 10_000 })
      .toContain(text);
  }

  async setVariables(change: (variables: Record<string, unknown>) => void): Promise<void> {
    const variables = JSON.parse(await this.#text(tool(0))) as Record<string, unknown>;
    change(variables);
    await this.#setText(tool(0), variables);
  }

  async setHeaders(headers: Record<string, string>): Promise<void> {
    await this.#setText(tool(1), headers);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#context.close();
  }

  async #text(editor: string): Promise<string> {
    return await this.page.evaluate<string>(`${editor}.getValue()`);
  }

  async #setText(editor: string, value: unknown): Promise<void> {
    const text = JSON.stringify(JSON.stringify(value, null, 2));
    await this.page.evaluate(`${editor}.setValue(${text})`);
  }

  async #until(condition: string): Promise<void> {
    // Not waitForFunction: it evaluates text in the page, which the page's own policy forbids.
    const holds = () => this.page.evaluate<boolean>(`Boolean(${condition})`);
    await expect.poll(holds, { timeout: 10_000, message: condition }).toBe(true);
  }
}
