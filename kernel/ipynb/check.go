package ipynb

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/format"
	"go/types"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// What a lesson's notebook may have at most.
const (
	maxCellLines   = 15
	maxLineColumns = 120 // a tab counts four
	maxFileBytes   = 100_000
)

// Kernel names a notebook kernel as metadata do.
type Kernel struct {
	Name     string `json:"name"`
	Display  string `json:"display_name"`
	Language string `json:"language"`
}

// Problem is something that a notebook's form lacks.
type Problem struct {
	Cell int    // from 0; -1 is the notebook as a whole
	ID   string // of the cell
	Text string
}

func (p Problem) String() string {
	if p.Cell < 0 {
		return p.Text
	}
	return fmt.Sprintf("cell %d (%s): %s", p.Cell+1, p.ID, p.Text)
}

// Check holds the notebook in the file name to the form of a lesson: stored without outputs for the kernel; small; cells short,
// formatted, and complete with what they import and use; links that lead somewhere; one cell of parameters; aims, time, what is
// simulated, a check and a way on. An error means that the file could not be read at all.
func Check(name string, kernel Kernel) ([]Problem, error) {
	nb, err := Read(name)
	if err != nil {
		return nil, err
	}
	c := &checker{nb: nb, dir: filepath.Dir(name)}
	if info, err := os.Stat(name); err == nil && info.Size() > maxFileBytes {
		c.add(-1, "the file has %d bytes, more than %d: it is a text, figures are made by running it", info.Size(), maxFileBytes)
	}
	c.stored(kernel)
	for i := range nb.Len() {
		c.prose(i)
		if nb.IsCode(i) {
			c.cell(i)
		}
	}
	c.parameters()
	c.lesson()
	c.standsAlone()
	return c.problems, nil
}

type checker struct {
	nb       *Notebook
	dir      string
	problems []Problem
}

func (c *checker) add(cell int, format string, args ...any) {
	p := Problem{Cell: cell, Text: fmt.Sprintf(format, args...)}
	if cell >= 0 {
		p.ID = c.nb.ID(cell)
	}
	c.problems = append(c.problems, p)
}

// stored checks what Jupyter writes around the cells.
func (c *checker) stored(want Kernel) {
	var format, minor int
	var meta struct {
		Kernel Kernel `json:"kernelspec"`
	}
	for field, to := range map[string]any{"nbformat": &format, "nbformat_minor": &minor, "metadata": &meta} {
		_ = json.Unmarshal(c.nb.fields[field], to) // what is not there stays zero and is told below
	}
	if format != 4 || minor < 5 {
		c.add(-1, "nbformat is %d.%d, expected 4.5, which names cells", format, minor)
	}
	if meta.Kernel != want {
		c.add(-1, "it is for the kernel %q (%s), expected %q (%s)", meta.Kernel.Display, meta.Kernel.Name, want.Display, want.Name)
	}
	seen := map[string]bool{}
	for i := range c.nb.Len() {
		id := c.nb.ID(i)
		if !validID.MatchString(id) || seen[id] {
			c.add(i, "the id is repeated or not made of small letters, digits and hyphens")
		}
		seen[id] = true
		if outputs, count := string(c.nb.cells[i]["outputs"]), string(c.nb.cells[i]["execution_count"]); outputs != "" && outputs != "[]" || count != "" && count != "null" {
			c.add(i, "it has stored outputs: clear them before saving")
		}
	}
}

var (
	validID     = regexp.MustCompile(`^[a-z0-9-]{1,64}$`)
	machinePath = regexp.MustCompile(`["'(\s](/(home|root|work|tmp|usr|Users|mnt|opt)/|[A-Z]:\\)`)
	link        = regexp.MustCompile(`\]\(([^)#\s]+)(#[^)\s]*)?\)`)
	lessonName  = regexp.MustCompile("`(\\d\\d_[a-z_]+)`")
)

// prose checks what a cell names outside itself.
func (c *checker) prose(i int) {
	source := c.nb.Source(i)
	if machinePath.MatchString(source) {
		c.add(i, "it names a path of one machine")
	}
	if c.nb.IsCode(i) {
		return
	}
	there := func(file string) bool {
		_, err := os.Stat(filepath.Join(c.dir, filepath.FromSlash(file)))
		return err == nil
	}
	for _, m := range link.FindAllStringSubmatch(source, -1) {
		if !strings.Contains(m[1], ":") && !there(m[1]) {
			c.add(i, "its link to %s leads nowhere", m[1])
		}
	}
	for _, m := range lessonName.FindAllStringSubmatch(source, -1) {
		if !there(m[1] + ".ipynb") {
			c.add(i, "it sends the reader to notebook %s, which is not there", m[1])
		}
	}
}

// cell checks the shape of a code cell.
func (c *checker) cell(i int) {
	lines := 0
	for line := range strings.Lines(c.nb.Source(i)) {
		if strings.TrimSpace(line) != "" {
			lines++
		}
		if columns := len([]rune(strings.TrimRight(strings.ReplaceAll(line, "\t", "    "), "\n"))); columns > maxLineColumns {
			c.add(i, "a line of %d columns has to be scrolled: %s", columns, strings.TrimSpace(line))
		}
	}
	if lines > maxCellLines {
		c.add(i, "it has %d lines: one idea takes at most %d", lines, maxCellLines)
	}
	declarations, statements, err := parts(c.nb.Source(i))
	if err != nil {
		c.add(i, "it %v", err)
		return
	}
	for _, part := range []string{declarations, statements} {
		part = strings.Trim(part, "\n")
		if formatted, err := format.Source([]byte(part)); err == nil && string(formatted) != part {
			c.add(i, "it is not formatted as gofmt does")
		}
	}
}

// parameters checks that the first code cell, and only that, declares what a run may set.
func (c *checker) parameters() {
	for nth, i := range c.nb.code() {
		switch tagged := c.nb.HasTag(i, ParametersTag); {
		case tagged && nth > 0:
			c.add(i, "only the first code cell may be tagged %q", ParametersTag)
		case !tagged && nth == 0:
			c.add(i, "the first code cell must be tagged %q", ParametersTag)
		case tagged:
			if _, names, err := substitute(c.nb.Source(i), nil); err != nil || len(names) == 0 {
				c.add(i, "it declares no parameter that a run could set (%v)", err)
			}
		}
	}
}

// lesson checks that a reader is told what for, how long, what is real, whether it went well, and where to go.
func (c *checker) lesson() {
	code := c.nb.code()
	if c.nb.Len() < 3 || len(code) == 0 {
		c.add(-1, "it has no lesson: a title, code, and where to go next")
		return
	}
	first, last := c.nb.Source(0), c.nb.Source(c.nb.Len()-1)
	for _, want := range []string{"# ", "**Aims.**", "**What to expect.**", "minute", "laptop with two cores", "**What is simulated", "not a medical device"} {
		if !strings.Contains(first, want) && !strings.Contains(strings.ReplaceAll(first, "nothing here is a medical device", "not a medical device"), want) {
			c.add(0, "the first cell lacks %q", want)
		}
	}
	if !strings.Contains(last, "Where to go next") {
		c.add(c.nb.Len()-1, "the last cell does not say where to go next")
	}
	if end := code[len(code)-1]; !strings.Contains(c.nb.Source(end), "show.Check(") {
		c.add(end, "the last code cell is no check")
	}
}

// standsAlone checks that every name is declared, and every package imported, in the cell or one before it: an import that GoNB
// has to guess costs a second at each run, and a name from nowhere fails on Run All.
func (c *checker) standsAlone() {
	known := map[string]bool{}
	for _, i := range c.nb.code() {
		cell, err := c.nb.takeApart(i)
		if err != nil {
			c.add(i, "it %v", err)
			continue
		}
		for _, s := range cell.imports {
			p, _ := strconv.Unquote(s.Path.Value)
			if p = path.Base(p); s.Name != nil {
				p = s.Name.Name
			}
			known[p] = true
		}
		for _, name := range cell.names {
			known[name] = true
		}
		told := map[string]bool{}
		for _, u := range unresolved(cell.file) {
			if !known[u] && types.Universe.Lookup(u) == nil && !told[u] {
				c.add(i, "it uses %s, which no cell up to here declares or imports", u)
				told[u] = true
			}
		}
	}
}

// unresolved lists the names that a file uses and does not declare, but for keys of composite literals, which may be fields.
func unresolved(file *ast.File) (names []string) {
	keys := map[*ast.Ident]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		if kv, ok := n.(*ast.KeyValueExpr); ok {
			if id, ok := kv.Key.(*ast.Ident); ok {
				keys[id] = true
			}
		}
		return true
	})
	for _, id := range file.Unresolved {
		if !keys[id] {
			names = append(names, id.Name)
		}
	}
	return names
}
