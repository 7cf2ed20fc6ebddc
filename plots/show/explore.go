package show

import (
	"fmt"
	"html"
	"os"
	"os/signal"
	"slices"
	"time"

	"github.com/janpfeifer/gonb/gonbui"
	"github.com/janpfeifer/gonb/gonbui/comms"
	"github.com/janpfeifer/gonb/gonbui/dom"
	"github.com/janpfeifer/gonb/gonbui/widgets"

	"elastography/plots"
)

// A cell that waits for a hand keeps the kernel busy, so it waits only so long.
const (
	connectWait   = 12 * time.Second // for a front end that may have no scripts at all; gonb itself waits 11 (kernel/gonb.go)
	untouchedWait = 15 * time.Second // Run All goes on after that
	touchedWait   = 2 * time.Minute  // since the last move
)

// headless is set by runs without a browser.
const headless = "SSWE_HEADLESS"

// Control is something for a reader to move; its value is a whole number.
type Control struct {
	label      string
	options    []string // of a choice; none is a slider
	start      int
	least, top int // of a slider
}

// Slider goes from least to top and begins at start.
func Slider(label string, least, top, start int) Control {
	return Control{label: label, least: least, top: top, start: start}
}

// Choice picks one of names; its value is the name's place from 0.
func Choice(label string, names []string) Control { return Control{label: label, options: names} }

// Explore shows the figure that draw makes of the controls' values, with draw's text below it, and draws it anew when a reader
// moves a control. The cell ends at its button "Done", when nobody has touched a control for a while, or when it is interrupted;
// the last figure stays. Where no browser is, the figure of the controls' first values is all.
func Explore(draw func(values []int) (*plots.Figure, string, error), controls ...Control) {
	values := make([]int, len(controls))
	for i, c := range controls {
		values[i] = c.start
	}
	if !gonbui.IsNotebook {
		f, text, err := draw(values)
		Figure(f, err)
		Note("%s", text)
		return
	}
	id := gonbui.UniqueId()
	panel, view := "controls-"+id, "view-"+id
	live := os.Getenv(headless) == ""
	if live {
		gonbui.UpdateHtml(panel, fmt.Sprintf(`<div id="%s" class="sswe-controls"></div>`, panel))
	}
	paint := func() {
		f, text, err := draw(slices.Clone(values))
		Must(err)
		gonbui.UpdateHtml(view, element(figurePNG(f), widthMM(f), f.Alt())+`<p class="sswe-view">`+html.EscapeString(text)+"</p>")
	}
	paint()
	gonbui.Sync()
	if !live {
		return
	}
	moves, done, ok := connect(panel, controls)
	if ok {
		attend(moves, done, func(m move) { values[m.control] = m.value }, paint)
	}
	gonbui.UpdateHtml(panel, "<p><i>The controls rest. Run this cell again to move them.</i></p>")
	gonbui.Sync()
}

// move is a control's new value.
type move struct{ control, value int }

// connect puts the controls into the element panel of the page; ok is false when the front end does not answer.
func connect(panel string, controls []Control) (moves <-chan move, done <-chan int, ok bool) {
	heard := make(chan move, 64)
	ready := make(chan (<-chan int), 1)
	go func() {
		for i, c := range controls {
			dom.Append(panel, `<label style="margin:0 0.5em 0 1em">`+html.EscapeString(c.label)+"</label>")
			values := c.place(panel)
			go func() {
				for v := range values.C {
					heard <- move{i, v}
				}
			}()
		}
		ready <- widgets.Button("Done").AppendTo(panel).Done().Listen().C
	}()
	select {
	case stop := <-ready:
		return heard, stop, true
	case <-time.After(connectWait):
		return nil, nil, false
	}
}

// place builds the control in the page. Of values that come faster than they are drawn, only the latest matters.
func (c Control) place(panel string) *comms.AddressChan[int] {
	if c.options == nil {
		return widgets.Slider(c.least, c.top, c.start).AppendTo(panel).Done().Listen().LatestOnly()
	}
	names := make([]string, len(c.options))
	for i, name := range c.options {
		names[i] = html.EscapeString(name)
	}
	return widgets.Select(names).AppendTo(panel).Done().Listen().LatestOnly()
}

// attend takes moves until the reader is done, and paints once for all that came while it painted before.
func attend(moves <-chan move, done <-chan int, take func(move), paint func()) {
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt)
	defer signal.Stop(interrupted)
	idle := time.NewTimer(untouchedWait)
	defer idle.Stop()
	for {
		select {
		case m := <-moves:
			for take(m); len(moves) > 0; {
				take(<-moves)
			}
			paint()
			idle.Reset(touchedWait)
		case <-done:
			return
		case <-idle.C:
			return
		case <-interrupted:
			return
		}
	}
}
