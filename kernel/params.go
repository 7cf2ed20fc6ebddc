package kernel

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// parametersTag marks the cell whose constants and variables a run may set.
const parametersTag = "parameters"

// notebook is a Jupyter notebook (nbformat 4) of which only the cells' source is understood; all else is kept as it is.
type notebook struct {
	fields map[string]json.RawMessage
	cells  []map[string]json.RawMessage
}

func parseNotebook(data []byte) (*notebook, error) {
	nb := &notebook{}
	if err := json.Unmarshal(data, &nb.fields); err != nil {
		return nil, fmt.Errorf("not a notebook: %w", err)
	}
	if err := json.Unmarshal(nb.fields["cells"], &nb.cells); err != nil {
		return nil, fmt.Errorf("not a notebook (nbformat 4): its cells: %w", err)
	}
	return nb, nil
}

func (nb *notebook) bytes() ([]byte, error) {
	cells, err := json.Marshal(nb.cells)
	if err != nil {
		return nil, err
	}
	nb.fields["cells"] = cells
	return json.Marshal(nb.fields)
}

// source returns a cell's text, which notebooks store as a string or as a list of lines.
func (nb *notebook) source(i int) string {
	var text string
	if json.Unmarshal(nb.cells[i]["source"], &text) == nil {
		return text
	}
	var lines []string
	_ = json.Unmarshal(nb.cells[i]["source"], &lines)
	return strings.Join(lines, "")
}

func (nb *notebook) isCode(i int) bool {
	var kind string
	_ = json.Unmarshal(nb.cells[i]["cell_type"], &kind)
	return kind == "code"
}

func (nb *notebook) hasTag(i int, tag string) bool {
	var meta struct {
		Tags []string `json:"tags"`
	}
	_ = json.Unmarshal(nb.cells[i]["metadata"], &meta)
	return slices.Contains(meta.Tags, tag)
}

// setParameters gives new values to constants and variables of the cells tagged "parameters". Each value is checked against
// the type that the notebook declares; names that it does not declare are refused, with those that it does.
func (nb *notebook) setParameters(params map[string]string) error {
	known, set := []string{}, map[string]bool{}
	for i := range nb.cells {
		if !nb.isCode(i) || !nb.hasTag(i, parametersTag) {
			continue
		}
		text, names, err := substitute(nb.source(i), params)
		if err != nil {
			return fmt.Errorf("cell %d: %w", i+1, err)
		}
		known = append(known, names...)
		for _, name := range names {
			set[name] = true
		}
		source, err := json.Marshal(text)
		if err != nil {
			return err
		}
		nb.cells[i]["source"] = source
	}
	for _, name := range slices.Sorted(maps.Keys(params)) {
		switch {
		case set[name]:
		case len(known) == 0:
			return fmt.Errorf("parameter %q: the notebook takes none (no cell is tagged %q)", name, parametersTag)
		default:
			return fmt.Errorf("parameter %q is not one of the notebook's; it takes %s", name, strings.Join(known, ", "))
		}
	}
	return nil
}

// substitute rewrites the values of declarations such as
//
//	const preset = "smoke"
//	var (
//		patients     = 50
//		seed  uint64 = 1
//	)
//
// and returns the names that can be set: those whose value is a string, a number or a bool.
func substitute(source string, params map[string]string) (text string, names []string, err error) {
	const header = "package p\n"
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "", header+blankMagic(source), 0)
	if err != nil {
		return "", nil, fmt.Errorf("the parameters are not plain Go declarations: %w", err)
	}
	type edit struct {
		from, to int // offsets in source
		text     string
	}
	var edits []edit
	for _, decl := range file.Decls {
		gen, ok := decl.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, spec := range gen.Specs {
			value, ok := spec.(*ast.ValueSpec)
			if !ok || len(value.Values) != len(value.Names) {
				continue
			}
			for i, name := range value.Names {
				typ := literalType(value.Type, value.Values[i])
				if typ == "" {
					continue
				}
				names = append(names, name.Name)
				given, ok := params[name.Name]
				if !ok {
					continue
				}
				literal, err := goLiteral(typ, given)
				if err != nil {
					return "", nil, fmt.Errorf("parameter %s=%s: %w", name.Name, given, err)
				}
				offset := func(p token.Pos) int { return fset.Position(p).Offset - len(header) }
				edits = append(edits, edit{offset(value.Values[i].Pos()), offset(value.Values[i].End()), literal})
			}
		}
	}
	text = source
	for _, e := range slices.Backward(edits) { // from the end, so that earlier offsets stay true
		text = text[:e.from] + e.text + text[e.to:]
	}
	return text, names, nil
}

// blankMagic overwrites gonb's special lines (%…, !…) with blanks, so that offsets stay true.
func blankMagic(source string) string {
	var b strings.Builder
	for line := range strings.Lines(source) {
		if strings.HasPrefix(line, "%") || strings.HasPrefix(line, "!") {
			body := strings.TrimRight(line, "\n")
			line = strings.Repeat(" ", len(body)) + line[len(body):]
		}
		b.WriteString(line)
	}
	return b.String()
}

// literalType returns the Go type of a declaration whose value is a literal, or "" when it is not one that can be set.
func literalType(declared, value ast.Expr) string {
	natural := ""
	if unary, ok := value.(*ast.UnaryExpr); ok && (unary.Op == token.SUB || unary.Op == token.ADD) {
		value = unary.X
	}
	switch v := value.(type) {
	case *ast.BasicLit:
		natural = map[token.Token]string{token.INT: "int", token.FLOAT: "float64", token.STRING: "string"}[v.Kind]
	case *ast.Ident:
		if v.Name == "true" || v.Name == "false" {
			natural = "bool"
		}
	}
	if declared == nil || natural == "" {
		return natural
	}
	if name, ok := declared.(*ast.Ident); ok {
		return name.Name
	}
	return ""
}

// goLiteral writes a value of the given type as Go does, or says why it is none.
func goLiteral(typ, given string) (string, error) {
	given = strings.TrimSpace(given)
	wrong := func(want string) error { return fmt.Errorf("the notebook declares it as %s; give %s", typ, want) }
	switch typ {
	case "string":
		return strconv.Quote(given), nil
	case "bool":
		v, err := strconv.ParseBool(given)
		if err != nil {
			return "", wrong("true or false")
		}
		return strconv.FormatBool(v), nil
	case "int", "int8", "int16", "int32", "int64":
		v, err := strconv.ParseInt(given, 10, bits(typ, "int"))
		if err != nil {
			return "", wrong("a whole number in its range")
		}
		return strconv.FormatInt(v, 10), nil
	case "uint", "uint8", "uint16", "uint32", "uint64":
		v, err := strconv.ParseUint(given, 10, bits(typ, "uint"))
		if err != nil {
			return "", wrong("a whole number from 0 in its range")
		}
		return strconv.FormatUint(v, 10), nil
	case "float32", "float64":
		v, err := strconv.ParseFloat(given, bits(typ, "float"))
		if err != nil || math.IsInf(v, 0) || math.IsNaN(v) {
			return "", wrong("a finite number")
		}
		literal := strconv.FormatFloat(v, 'g', -1, bits(typ, "float"))
		if !strings.ContainsAny(literal, ".e") {
			literal += ".0" // an untyped constant must stay a float
		}
		return literal, nil
	}
	return "", errors.New("values of type " + typ + " cannot be set from outside")
}

func bits(typ, kind string) int {
	if n, err := strconv.Atoi(strings.TrimPrefix(typ, kind)); err == nil {
		return n
	}
	return 64
}
