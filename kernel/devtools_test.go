//go:build browser

package kernel

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"elastography/kernel/internal/proc"
)

// page is a tab of a headless Chromium, spoken to in the DevTools protocol over a pair of pipes.
type page struct {
	t       *testing.T
	to      io.Writer
	session string

	mu      sync.Mutex
	next    int
	replies map[int]chan reply
}

type reply struct {
	Result json.RawMessage `json:"result"`
	Error  *struct {
		Message string `json:"message"`
	} `json:"error"`
}

// openPage starts Chromium; the test is skipped, and says so, where there is none.
func openPage(t *testing.T) *page {
	t.Helper()
	chromium := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			chromium = path
			break
		}
	}
	if chromium == "" {
		t.Skip("NOT TESTED in a browser: Chromium is not installed (Debian, Ubuntu: apt install chromium)")
	}
	ctx, cancel := context.WithCancel(context.Background())
	commandsOut, commandsIn, err1 := os.Pipe()
	answersOut, answersIn, err2 := os.Pipe()
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	cmd := proc.Command(ctx, chromium, "--headless", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--window-size=1300,1600",
		"--user-data-dir="+shortTemp(t), "about:blank")
	cmd.ExtraFiles = []*os.File{commandsOut, answersIn} // descriptors 3 and 4, as --remote-debugging-pipe has it
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); _ = cmd.Wait(); _ = commandsIn.Close(); _ = answersOut.Close() })
	_, _ = commandsOut.Close(), answersIn.Close()
	p := &page{t: t, to: commandsIn, replies: map[int]chan reply{}}
	go p.listen(answersOut)

	var target struct{ TargetID, SessionID string }
	p.do("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	p.do("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &target)
	p.session = target.SessionID
	p.do("Page.enable", nil, nil)
	return p
}

func (p *page) listen(from io.Reader) {
	messages := bufio.NewReader(from)
	for {
		text, err := messages.ReadBytes(0)
		if err != nil {
			return
		}
		var m struct {
			ID int `json:"id"`
			reply
		}
		if json.Unmarshal(text[:len(text)-1], &m) != nil || m.ID == 0 {
			continue // an event
		}
		p.mu.Lock()
		p.replies[m.ID] <- m.reply
		delete(p.replies, m.ID)
		p.mu.Unlock()
	}
}

// do calls a method of the protocol.
func (p *page) do(method string, params, result any) {
	p.t.Helper()
	answer := make(chan reply, 1)
	p.mu.Lock()
	p.next++
	message := map[string]any{"id": p.next, "method": method}
	if params != nil {
		message["params"] = params
	}
	if p.session != "" {
		message["sessionId"] = p.session
	}
	p.replies[p.next] = answer
	data, err := json.Marshal(message)
	if err == nil {
		_, err = p.to.Write(append(data, 0))
	}
	p.mu.Unlock()
	if err != nil {
		p.t.Fatalf("%s: %v", method, err)
	}
	select {
	case r := <-answer:
		if r.Error != nil {
			p.t.Fatalf("%s: %s", method, r.Error.Message)
		}
		if result != nil {
			if err := json.Unmarshal(r.Result, result); err != nil {
				p.t.Fatalf("%s: %v", method, err)
			}
		}
	case <-time.After(time.Minute):
		p.t.Fatalf("%s: no answer", method)
	}
}

// eval runs a JavaScript expression in the page and returns its value, as JSON has it.
func (p *page) eval(expression string) any {
	p.t.Helper()
	var r struct {
		Result           struct{ Value any }
		ExceptionDetails *struct{ Text string }
	}
	p.do("Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true, "awaitPromise": true}, &r)
	if r.ExceptionDetails != nil {
		return nil // the page is not that far
	}
	return r.Result.Value
}

// wait polls until the expression holds.
func (p *page) wait(what, expression string, limit time.Duration) {
	p.t.Helper()
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		switch v := p.eval(expression).(type) {
		case bool:
			if v {
				return
			}
		}
	}
	p.shoot("failed-" + strconv.Itoa(int(time.Now().Unix())))
	p.t.Fatalf("no %s within %s", what, limit)
}

func (p *page) open(url string) { p.t.Helper(); p.do("Page.navigate", map[string]any{"url": url}, nil) }

// middle is where to put the mouse for the first element of a selector, scrolled into view, at a share of its width.
func (p *page) middle(selector string, share float64) (x, y float64, ok bool) {
	quoted, _ := json.Marshal(selector)
	at, ok := p.eval(fmt.Sprintf(`(() => { const e = [...document.querySelectorAll(%s)].find(e => e.offsetParent !== null); if (!e) return null;
		e.scrollIntoView({block: "center"}); const r = e.getBoundingClientRect(); return [r.x + r.width * %g, r.y + r.height / 2]; })()`, quoted, share)).([]any)
	if !ok {
		return 0, 0, false
	}
	return at[0].(float64), at[1].(float64), true
}

func (p *page) mouse(kind string, x, y float64) {
	p.t.Helper()
	event := map[string]any{"type": kind, "x": x, "y": y, "button": "left", "clickCount": 1}
	if kind == "mouseMoved" {
		event["buttons"] = 1
	}
	p.do("Input.dispatchMouseEvent", event, nil)
}

// click waits for an element and clicks on it.
func (p *page) click(selector string) {
	p.t.Helper()
	quoted, _ := json.Marshal(selector)
	p.wait(selector, fmt.Sprintf(`[...document.querySelectorAll(%s)].some(e => e.offsetParent !== null)`, quoted), 20*time.Second)
	x, y, _ := p.middle(selector, 0.5)
	p.do("Input.dispatchMouseEvent", map[string]any{"type": "mouseMoved", "x": x, "y": y}, nil)
	p.mouse("mousePressed", x, y)
	p.mouse("mouseReleased", x, y)
}

// drag moves the handle of a slider from one share of its width to another.
func (p *page) drag(selector string, from, to float64) {
	p.t.Helper()
	x0, y, _ := p.middle(selector, from)
	x1, _, ok := p.middle(selector, to)
	if !ok {
		p.t.Fatalf("no %s to drag", selector)
	}
	p.mouse("mousePressed", x0, y)
	for k := 1.0; k <= 8; k++ {
		p.mouse("mouseMoved", x0+(x1-x0)*k/8, y)
		time.Sleep(20 * time.Millisecond)
	}
	p.mouse("mouseReleased", x1, y)
}

// press presses a key; modifiers as the protocol has them: 2 is Ctrl, 8 is Shift.
func (p *page) press(key string, code, modifiers int) {
	p.t.Helper()
	event := map[string]any{"type": "rawKeyDown", "key": key, "code": key, "windowsVirtualKeyCode": code, "modifiers": modifiers}
	p.do("Input.dispatchKeyEvent", event, nil)
	event["type"] = "keyUp"
	p.do("Input.dispatchKeyEvent", event, nil)
}

// shoot keeps a picture of the page in the folder SSWE_SHOTS, if that is set, for who wants to look.
func (p *page) shoot(name string) { p.picture(name, nil) }

// shootAll keeps a picture of the whole notebook, also of what has to be scrolled to.
func (p *page) shootAll(name string) {
	height, _ := p.eval(`[...document.querySelectorAll(".jp-Notebook .jp-Cell")].reduce((sum, cell) => sum + cell.offsetHeight, 300)`).(float64)
	p.picture(name, map[string]any{"width": 1300, "height": min(int(height), 16_000), "deviceScaleFactor": 1, "mobile": false})
}

func (p *page) picture(name string, metrics map[string]any) {
	dir := os.Getenv("SSWE_SHOTS")
	if dir == "" {
		return
	}
	if metrics != nil {
		p.do("Emulation.setDeviceMetricsOverride", metrics, nil)
		defer p.do("Emulation.clearDeviceMetricsOverride", nil, nil)
		p.eval(`document.querySelectorAll(".jp-Notebook, .jp-WindowedPanel-outer").forEach(e => e.scrollTop = 0)`)
		time.Sleep(time.Second)
	}
	var shot struct{ Data string }
	p.do("Page.captureScreenshot", map[string]any{"format": "png"}, &shot)
	data, err := base64.StdEncoding.DecodeString(shot.Data)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name+".png"), data, 0o644)
	}
	if err != nil {
		p.t.Log(err)
	}
}
