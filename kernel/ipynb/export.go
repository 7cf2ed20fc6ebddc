package ipynb

import (
	"cmp"
	"fmt"
	"go/format"
	"slices"
	"strconv"
	"strings"
)

// Export writes the notebook as a plain Go program: what the cells declare, a function for the statements of each, and a main
// that calls them in order. title goes into its first comment.
//
// It differs from a notebook in one thing: a cell is a process of its own there, so package-level variables start anew in
// each cell and only once here. A cell that is no plain Go, and a name that two cells declare, are refused by name.
func (nb *Notebook) Export(title string) ([]byte, error) {
	cells, err := nb.goCells()
	if err != nil {
		return nil, err
	}
	var body, calls strings.Builder
	xla := false
	for _, c := range cells {
		fmt.Fprintf(&body, "// Cell %d (%s).\n\n%s\n\n", c.index+1, c.id, c.declarations)
		if c.statements != "" {
			fmt.Fprintf(&body, "func cell%02d() {\n%s\n}\n\n", c.index+1, c.statements)
			fmt.Fprintf(&calls, "\tcell%02d()\n", c.index+1)
		}
		xla = xla || strings.Contains(c.statements+c.declarations, "OpenBackend(")
	}
	imports := importsOf(cells)
	start := ""
	if xla { // the kernel chooses the plugin for its cells; a program has to
		start = "\tif _, err := pjrt.Use(context.Background()); err != nil {\n\t\tpanic(err.Error())\n\t}\n"
		imports = append(imports, strconv.Quote("context"), strconv.Quote("elastography/kernel/pjrt"))
	}
	text := fmt.Sprintf("// Exported from the notebook %s. Run it inside the checkout, in the notebook's folder: go run FILE.go\npackage main\n\n%s\nfunc main() {\n%s%s}\n\n%s",
		title, importBlock(imports), start, calls.String(), body.String())
	out, err := format.Source([]byte(text))
	if err != nil {
		return nil, fmt.Errorf("the program made of its cells is no Go: %w", err)
	}
	return out, nil
}

// goCells takes all code cells apart and sees that no name is declared twice.
func (nb *Notebook) goCells() ([]goCell, error) {
	var cells []goCell
	home := map[string]int{"main": -1}
	for _, i := range nb.code() {
		c, err := nb.takeApart(i)
		if err != nil {
			return nil, fmt.Errorf("cell %d (%s) %w", i+1, nb.ID(i), err)
		}
		for _, name := range c.names {
			first, taken := home[name]
			switch {
			case name == "main":
				return nil, fmt.Errorf("cell %d (%s) declares main: write its statements below a line %%%%", i+1, c.id)
			case taken:
				return nil, fmt.Errorf("cell %d (%s) declares %s anew, which cell %d did before: a program cannot", i+1, c.id, name, first+1)
			}
			home[name] = i
		}
		cells = append(cells, c)
	}
	return cells, nil
}

// importsOf lists import specs as they stand in source, each once.
func importsOf(cells []goCell) (specs []string) {
	for _, c := range cells {
		for _, s := range c.imports {
			spec := s.Path.Value
			if s.Name != nil {
				spec = s.Name.Name + " " + spec
			}
			specs = append(specs, spec)
		}
	}
	return specs
}

// importBlock writes imports, those of the standard library first.
func importBlock(specs []string) string {
	foreign := func(spec string) bool { // modules have a dot in their name; this one is named in the clear
		path := spec[strings.IndexByte(spec, '"'):]
		first, _, _ := strings.Cut(strings.Trim(path, `"`), "/")
		return strings.Contains(first, ".") || first == "elastography"
	}
	slices.SortFunc(specs, func(a, b string) int {
		if foreign(a) != foreign(b) {
			if foreign(b) {
				return -1
			}
			return 1
		}
		return cmp.Compare(a, b)
	})
	var b strings.Builder
	b.WriteString("import (\n")
	for i, s := range slices.Compact(specs) {
		if i > 0 && foreign(s) && !strings.Contains(b.String(), "\n\n") {
			b.WriteString("\n")
		}
		b.WriteString("\t" + s + "\n")
	}
	b.WriteString(")\n")
	return b.String()
}
