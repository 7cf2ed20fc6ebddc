package ipynb

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"strings"
)

// mark is the line that parts what a GoNB cell declares from the statements that it runs.
var mark = regexp.MustCompile(`(?m)^%%[ \t]*(.*)\n?`)

// special finds GoNB's other special lines: commands of the kernel and of the shell.
var special = regexp.MustCompile(`(?m)^([%!].*)$`)

// goCell is a code cell taken apart.
type goCell struct {
	index        int
	id           string
	imports      []*ast.ImportSpec
	declarations string // without the imports
	statements   string
	names        []string // that it declares at package level
	file         *ast.File
}

// takeApart parses a cell. A cell with special lines other than a bare %% is no plain Go, and the error says so.
func (nb *Notebook) takeApart(i int) (goCell, error) {
	c := goCell{index: i, id: nb.ID(i)}
	declarations, statements, err := parts(nb.Source(i))
	if err != nil {
		return c, err
	}
	c.statements = statements
	const header = "package lesson\n"
	fset := token.NewFileSet()
	source := header + declarations
	whole := source + "\nfunc _() {\n" + statements + "\n}\n"
	if c.file, err = parser.ParseFile(fset, "", whole, parser.ParseComments); err != nil {
		return c, fmt.Errorf("is no Go: %w", err)
	}
	c.imports = c.file.Imports
	end := len(header)
	for _, d := range c.file.Decls {
		switch d := d.(type) {
		case *ast.GenDecl:
			if d.Tok == token.IMPORT {
				end = fset.Position(d.End()).Offset
			}
			c.names = append(c.names, namesOf(d)...)
		case *ast.FuncDecl:
			if d.Recv == nil && d.Name.Name != "_" {
				c.names = append(c.names, d.Name.Name)
			}
		}
	}
	c.declarations = strings.TrimSpace(source[end:])
	return c, nil
}

func namesOf(d *ast.GenDecl) (names []string) {
	for _, spec := range d.Specs {
		switch s := spec.(type) {
		case *ast.TypeSpec:
			names = append(names, s.Name.Name)
		case *ast.ValueSpec:
			for _, n := range s.Names {
				names = append(names, n.Name)
			}
		}
	}
	return names
}

// parts splits a cell at its mark.
func parts(source string) (declarations, statements string, err error) {
	at := mark.FindStringSubmatchIndex(source)
	if at == nil {
		declarations = source
	} else {
		declarations, statements = source[:at[0]], source[at[1]:]
		if arguments := source[at[2]:at[3]]; arguments != "" {
			return "", "", fmt.Errorf("gives itself arguments (%%%% %s), which a plain program cannot", arguments)
		}
	}
	if line := special.FindString(declarations + "\n" + statements); line != "" {
		return "", "", fmt.Errorf("has the special line %q, which is no Go", line)
	}
	return declarations, statements, nil
}

// FirstStatement is the first line of a cell that tells what it does: its imports, comments and special marks are skipped.
func FirstStatement(source string) string {
	block, first := false, ""
	for line := range strings.Lines(source) {
		line = strings.TrimSpace(line)
		if first == "" {
			first = line
		}
		switch {
		case block:
			block = line != ")"
		case line == "import (":
			block = true
		case line == "" || line == "%%" || strings.HasPrefix(line, "import ") || strings.HasPrefix(line, "//"):
		default:
			return line
		}
	}
	return first
}
