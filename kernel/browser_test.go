//go:build browser

// Tests in a real browser: go test ./kernel -tags browser -timeout 60m. SSWE_RUN names a finished run for the notebooks to read
// (without it a smoke run is made first, which takes minutes); SSWE_MODE=workshop has those that make a study of their own make one
// of that size, and SSWE_SCRATCH keeps it; SSWE_SHOTS is a folder for screenshots.
package kernel

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"elastography/kernel/internal/proc"
	"elastography/kernel/ipynb"
)

// lab is JupyterLab, opened by `go run . lab`, on a folder of its own.
type lab struct {
	dir, address string
	started      time.Time
}

func openLab(t *testing.T) lab {
	t.Helper()
	testEnv(t)
	l := lab{dir: t.TempDir(), started: time.Now()}
	cmd := proc.Command(context.Background(), "go", "run", ".", "lab", "--no-browser", "--port", "8950", "--dir", l.dir)
	cmd.Dir = ".."
	said, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) // as Ctrl-C does
		_ = cmd.Wait()
	})
	lines := bufio.NewScanner(said)
	for lines.Scan() {
		if l.address = strings.TrimSpace(lines.Text()); strings.HasPrefix(l.address, "http://127.0.0.1:") {
			go func() { _, _ = io.Copy(io.Discard, said) }()
			return l
		}
		t.Log(lines.Text())
	}
	t.Fatal("go run . lab names no address")
	return l
}

// show opens a notebook of the lab's folder and waits until its kernel is there.
func (l lab) show(p *page, name string) {
	p.t.Helper()
	base, token, _ := strings.Cut(l.address, "/lab?")
	p.open(base + "/lab/tree/" + name + "?reset&" + token)
	p.wait("notebook", `document.querySelector(".jp-Notebook .jp-Cell") !== null`, time.Minute)
	p.wait("idle kernel", `/idle|unknown/i.test(document.querySelector(".jp-Notebook-ExecutionIndicator")?.dataset?.status ?? "")`, time.Minute)
	p.wait("kernel that listens", `(async () => { const k = await (await fetch("/api/kernels")).json();
		return k.length > 0 && k.every(x => x.execution_state === "idle" && x.connections > 0); })()`, time.Minute)
	time.Sleep(3 * time.Second) // JupyterLab says idle a little early
}

// menu chooses a command from one of JupyterLab's menus.
func menu(p *page, title, command string) {
	p.t.Helper()
	p.eval(fmt.Sprintf(`[...document.querySelectorAll(".lm-MenuBar-item")].find(e => e.innerText.trim() === %q).id = "menu-to-click"`, title))
	p.click("#menu-to-click")
	p.eval(`document.querySelector("#menu-to-click").id = ""`)
	p.click(`.lm-Menu-item[data-command="` + command + `"]`)
}

// write puts a notebook with the given code cells into the lab's folder.
func (l lab) write(t *testing.T, name string, sources ...string) {
	t.Helper()
	var cells []map[string]any
	for i, s := range sources {
		cells = append(cells, map[string]any{"cell_type": "code", "id": fmt.Sprint("c", i), "metadata": map[string]any{}, "source": s, "outputs": []any{}, "execution_count": nil})
	}
	data, err := json.Marshal(map[string]any{"nbformat": 4, "nbformat_minor": 5, "cells": cells,
		"metadata": map[string]any{"kernelspec": ipynb.Kernel{Name: Name, Display: DisplayName, Language: "go"}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(l.dir, name), data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// saved is what JupyterLab has saved of a notebook: how many code cells ran, how many there are, and what failed.
func (l lab) saved(t *testing.T, name string) (ran, cells int, failed, pictures string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(l.dir, name))
	if err != nil {
		t.Fatal(err)
	}
	var nb struct {
		Cells []struct {
			CellType       string `json:"cell_type"`
			ID             string `json:"id"`
			ExecutionCount *int   `json:"execution_count"`
			Outputs        []struct {
				OutputType string `json:"output_type"`
				Ename      string `json:"ename"`
				Evalue     string `json:"evalue"`
			} `json:"outputs"`
		} `json:"cells"`
	}
	if err := json.Unmarshal(data, &nb); err != nil {
		return 0, 1, "", "" // being written
	}
	for _, c := range nb.Cells {
		if c.CellType != "code" {
			continue
		}
		cells++
		if c.ExecutionCount != nil {
			ran++
		}
		for _, o := range c.Outputs {
			if o.OutputType == "error" {
				failed += fmt.Sprintf("cell %s: %s %s\n", c.ID, o.Ename, o.Evalue)
			}
		}
	}
	return ran, cells, failed, fmt.Sprint(strings.Count(string(data), "data:image/png"))
}

// longestNotebook is how long Run All of a notebook may take: three of them make a small study of their own.
const longestNotebook = 20 * time.Minute

// forTheTest sets what a notebook declares of a run, a folder of its own and the size of its study.
func forTheTest(t *testing.T, file, run, scratch string) *ipynb.Notebook {
	t.Helper()
	nb, err := ipynb.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{"run": run, "scratch": filepath.Join(scratch, strings.TrimSuffix(filepath.Base(file), ".ipynb"))}
	if mode := os.Getenv("SSWE_MODE"); mode != "" {
		values["mode"] = mode
	}
	for parameter, value := range values {
		_ = nb.SetParameters(map[string]string{parameter: value}) // a notebook need not have all
	}
	return nb
}

func TestRunAllPassesForEveryNotebookInABrowser(t *testing.T) {
	run, scratch := smokeRun(t), os.Getenv("SSWE_SCRATCH")
	if scratch == "" {
		scratch = t.TempDir()
	}
	files, err := Notebooks("..")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	p, l := openPage(t), openLab(t)
	for i, file := range append(files, "../notebooks/workshop/solutions.ipynb") {
		name := filepath.Base(file)
		t.Run(name, func(t *testing.T) {
			p.t = t
			nb := forTheTest(t, file, run, scratch)
			data, err := nb.Bytes()
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(l.dir, name), data, 0o644); err != nil {
				t.Fatal(err)
			}
			l.show(p, name)
			start := time.Now()
			menu(p, "Run", "runmenu:run-all")
			p.wait("first figure", `document.querySelector('.jp-OutputArea-output img[src^="data:image/png"]') !== null`, longestNotebook)
			t.Logf("first figure %s after Run All", time.Since(start).Round(100*time.Millisecond))
			if i == 0 {
				t.Logf("and %s after `go run . lab`", time.Since(l.started).Round(100*time.Millisecond))
			}
			shot := strings.TrimSuffix(name, ".ipynb")
			p.shoot(shot)
			moved := l.untilAllCellsRan(p, name, shot, start)
			if hasSlider := strings.Contains(string(data), "show.Slider("); hasSlider != moved {
				t.Errorf("a slider in the notebook: %v, moved: %v", hasSlider, moved)
			}
			p.shootAll(shot + "-all")
			menu(p, "Kernel", "kernelmenu:shutdown")
			time.Sleep(time.Second)
		})
	}
}

// untilAllCellsRan follows Run All to its end, and moves the slider, if one appears.
func (l lab) untilAllCellsRan(p *page, name, shot string, start time.Time) (moved bool) {
	p.t.Helper()
	for {
		if !moved && p.eval(`document.querySelector(".sswe-controls input[type=range]") !== null`) == true {
			moved = true
			aSliderMovedChangesThePicture(p)
			p.shoot(shot + "-slider")
		}
		p.press("s", 83, 2)
		time.Sleep(2 * time.Second)
		ran, cells, failed, pictures := l.saved(p.t, name)
		if failed != "" {
			p.t.Fatal(failed)
		}
		if ran == cells {
			p.t.Logf("%d cells in %s, %s pictures", cells, time.Since(start).Round(time.Second), pictures)
			return moved
		}
		if time.Since(start) > longestNotebook {
			p.shoot("stuck-" + shot)
			p.t.Fatalf("%d of %d cells ran", ran, cells)
		}
	}
}

func aSliderMovedChangesThePicture(p *page) {
	p.t.Helper()
	const view = `document.querySelector(".sswe-view").parentElement.innerHTML`
	p.wait("button Done", `document.querySelector(".sswe-controls button") !== null`, 15*time.Second)
	before, _ := p.eval(view).(string)
	start := time.Now()
	p.drag(".sswe-controls input[type=range]", 30.0/65, 10.0/65)
	for p.eval(view) == any(before) {
		if time.Since(start) > 10*time.Second {
			p.shoot("slider")
			p.t.Fatal("the picture stays as it was")
		}
		time.Sleep(20 * time.Millisecond)
	}
	p.t.Logf("slider to new picture: %s", time.Since(start).Round(10*time.Millisecond))
	time.Sleep(time.Second)
	p.t.Logf("%v", p.eval(`document.querySelector(".sswe-view").innerText`))
	p.click(".sswe-controls button")
}

func TestCompletionAndInspectionAnswerInABrowser(t *testing.T) {
	p, l := openPage(t), openLab(t)
	l.write(t, "probe.ipynb", "import \"strings\"\n\n%%\nprintln(strings.To", "import \"strings\"\n\n%%\nprintln(strings.ToUpper(\"a\"))")
	l.show(p, "probe.ipynb")
	p.click(".jp-CodeCell .cm-line:last-child")
	p.press("End", 35, 0)
	const answered = `[...document.querySelectorAll(".jp-Completer-item")].some(e => e.innerText.includes("ToUpper"))`
	for end := time.Now().Add(time.Minute); p.eval(answered) != true && time.Now().Before(end); time.Sleep(10 * time.Second) {
		p.press("Tab", 9, 0) // gopls's first answer takes its time, and JupyterLab gives up on it
		time.Sleep(5 * time.Second)
	}
	p.wait("completion", answered, 10*time.Second)
	p.shoot("completion")
	p.press("Escape", 27, 0)
	p.eval(`document.querySelectorAll(".jp-CodeCell")[1].id = "second"`)
	x, y, _ := p.middle("#second .cm-line:last-child .cm-content, #second .cm-line:last-child", 0)
	p.mouse("mousePressed", x+135, y) // within ToUpper
	p.mouse("mouseReleased", x+135, y)
	p.press("Tab", 9, 8)
	p.wait("inspection", `/upper case/i.test(document.querySelector(".jp-Tooltip")?.innerText ?? "")`, 30*time.Second)
	p.shoot("inspection")
}

func TestInterruptAndRestartWorkInABrowser(t *testing.T) {
	p, l := openPage(t), openLab(t)
	l.write(t, "long.ipynb", `import (
	"fmt"
	"os"
	"os/signal"
	"time"
)

%%
stop := make(chan os.Signal, 1)
signal.Notify(stop, os.Interrupt)
fmt.Println("working")
select {
case <-stop:
	fmt.Println("saved and stopped")
case <-time.After(2 * time.Minute):
}`, "%%\nprintln(\"the next cell\")")
	l.show(p, "long.ipynb")
	said := func(text string) string {
		return fmt.Sprintf(`[...document.querySelectorAll(".jp-OutputArea-output")].some(e => e.innerText.includes(%q))`, text)
	}
	p.click(".jp-CodeCell .cm-line")
	menu(p, "Run", "runmenu:run")
	p.wait("running cell", said("working"), 30*time.Second)
	menu(p, "Kernel", "kernelmenu:interrupt")
	p.wait("end of the interrupted cell", said("saved and stopped"), 15*time.Second)
	p.shoot("interrupt")
	menu(p, "Kernel", "kernelmenu:restart")
	p.click(".jp-Dialog .jp-mod-accept")
	p.wait("idle kernel", `/idle|unknown/i.test(document.querySelector(".jp-Notebook-ExecutionIndicator")?.dataset?.status ?? "")`, time.Minute)
	time.Sleep(3 * time.Second)
	p.eval(`document.querySelectorAll(".jp-CodeCell")[1].id = "second"`)
	p.click("#second .cm-line")
	menu(p, "Run", "runmenu:run")
	p.wait("a cell in the new kernel", said("the next cell"), 30*time.Second)
	p.wait("count from one", `/\[1\]/.test(document.querySelectorAll(".jp-CodeCell .jp-InputPrompt")[1].textContent)`, 10*time.Second)
	p.shoot("restart")
}
