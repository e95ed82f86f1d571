import Foundation
import TestSupport

/// Headless Chromium, spoken to over the two pipes of its DevTools protocol, by Python because it has JSON at hand.
enum Browser {
  /// What a reader would notice, on one kind of screen.
  struct View: Decodable {
    let width: Int
    let scheme: String
    let title: String
    /// Images on the page, and those that cannot be decoded, each with the reason.
    let images: Int
    let broken: [String]
    /// Width of the window and of the content, pixels.
    let window: Int
    let content: Int
    let background: String
    /// The smallest letters, pixels.
    let smallest: Double
  }

  struct Findings: Decodable {
    let views: [View]
    /// Errors and warnings of the console.
    let complaints: [String]
    /// Addresses that were asked for, other than those that hold their own data.
    let requests: [String]
  }

  /// The browser: what `SQAIR_CHROMIUM` names, or Chromium or Chrome on the path; nil if there is none.
  static let program: String? = {
    let environment = ProcessInfo.processInfo.environment
    if let named = environment["SQAIR_CHROMIUM"] { return named }
    let folders = (environment["PATH"] ?? "").split(separator: ":")
    return ["chromium", "chromium-browser", "google-chrome"].lazy
      .flatMap { name in folders.map { "\($0)/\(name)" } }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
  }()

  static let hasPython = (try? ProcessRunner.run("python3", ["-c", ""]))?.exitCode == 0

  /// Opens a page on a phone and on a desk, on light and on dark screens.
  static func open(_ page: String) throws -> Findings {
    let outcome = try ProcessRunner.run("python3", ["-c", script, program ?? "", page], timeout: 120)
    guard outcome.exitCode == 0 else { throw Failure(description: "\(outcome)") }
    return try JSONDecoder().decode(Findings.self, from: Data(outcome.standardOutput.utf8))
  }

  struct Failure: Error, CustomStringConvertible { let description: String }

  private static let script = #"""
    import json, os, shutil, subprocess, sys, tempfile

    chromium, page = sys.argv[1:3]
    profile = tempfile.mkdtemp()
    to_browser, from_us = os.pipe()
    to_us, from_browser = os.pipe()
    # The browser reads commands from descriptor 3 and answers on 4.
    command = 'exec 3<&%d 4>&%d; exec "$@"' % (to_browser, from_browser)
    browser = subprocess.Popen(
        ["bash", "-c", command, "bash", chromium, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
         "--disable-background-networking", "--disable-dev-shm-usage", "--hide-scrollbars", "--remote-debugging-pipe",
         "--user-data-dir=" + profile, "about:blank"],
        pass_fds=[to_browser, from_browser], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(to_browser), os.close(from_browser)
    pending, events, number = b"", [], 0


    def read():
        global pending
        while b"\0" not in pending:
            part = os.read(to_us, 1 << 20)
            if not part:
                raise SystemExit("the browser ended")
            pending += part
        line, pending = pending.split(b"\0", 1)
        return json.loads(line)


    def call(method, session=None, **parameters):
        global number
        number += 1
        message = {"id": number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(from_us, json.dumps(message).encode() + b"\0")
        while True:
            answer = read()
            if answer.get("id") == number:
                if "error" in answer:
                    raise SystemExit("%s: %s" % (method, answer["error"]))
                return answer["result"]
            events.append(answer)


    def evaluate(expression):
        result = call("Runtime.evaluate", session, expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            raise SystemExit(str(result["exceptionDetails"]))
        return result["result"].get("value")


    try:
        target = [t for t in call("Target.getTargets")["targetInfos"] if t["type"] == "page"][0]["targetId"]
        session = call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for room in ["Page", "Runtime", "Log", "Network"]:
            call(room + ".enable", session)
        views = []
        for width, height, scheme in [(390, 844, "light"), (1280, 900, "light"), (390, 844, "dark"), (1280, 900, "dark")]:
            call("Emulation.setDeviceMetricsOverride", session, width=width, height=height,
                 deviceScaleFactor=2 if width < 500 else 1, mobile=width < 500)
            call("Emulation.setEmulatedMedia", session, features=[{"name": "prefers-color-scheme", "value": scheme}])
            call("Page.navigate", session, url="file://" + os.path.abspath(page))
            view = evaluate("""new Promise(resolve => {
              const look = async () => {
                if (!location.href.startsWith('file:')) return setTimeout(look, 50);
                if (document.readyState != 'complete') return setTimeout(look, 50);
                const images = [...document.images];
                const broken = (await Promise.all(images.map(i => i.decode().then(() => '', e => i.alt + ': ' + e))))
                  .filter(x => x);
                resolve({title: document.title, images: images.length, broken,
                  window: innerWidth, content: document.scrollingElement.scrollWidth,
                  height: document.scrollingElement.scrollHeight,
                  background: getComputedStyle(document.body).backgroundColor,
                  smallest: Math.min(...[...document.querySelectorAll('p,td,th,li,span,small,figcaption,text')]
                    .filter(e => e.getClientRects().length && e.textContent.trim())
                    .map(e => e.tagName == 'text'
                      ? 12.5 * e.ownerSVGElement.getBoundingClientRect().width / e.ownerSVGElement.viewBox.baseVal.width
                      : parseFloat(getComputedStyle(e).fontSize)))});
              };
              look();
            })""")
            view.update(width=width, scheme=scheme)
            views.append(view)
        complaints, requests = [], []
        for event in events:
            method, parameters = event.get("method"), event.get("params", {})
            if method == "Log.entryAdded":
                complaints.append(parameters["entry"]["text"])
            elif method == "Runtime.exceptionThrown" or method == "Runtime.consoleAPICalled":
                complaints.append(json.dumps(parameters))
            elif method == "Network.requestWillBeSent":
                url = parameters["request"]["url"]
                if not url.startswith("data:"):
                    requests.append(url)
        print(json.dumps({"views": views, "complaints": complaints, "requests": requests}))
    finally:
        browser.kill()
        browser.wait()
        shutil.rmtree(profile, ignore_errors=True)
    """#
}
