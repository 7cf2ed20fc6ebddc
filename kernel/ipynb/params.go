package ipynb

import (
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

// ParametersTag marks the cell whose constants and variables a run may set.
const ParametersTag = "parameters"

// SetParameters gives new values to constants and variables of the cells tagged "parameters". Each value is checked against
// the type that the notebook declares; names that it does not declare are refused, with those that it does.
func (nb *Notebook) SetParameters(params map[string]string) error {
	known, set := []string{}, map[string]bool{}
	for i := range nb.cells {
		if !nb.IsCode(i) || !nb.HasTag(i, ParametersTag) {
			continue
		}
		text, names, err := substitute(nb.Source(i), params)
		if err != nil {
			return fmt.Errorf("cell %d: %w", i+1, err)
		}
		known = append(known, names...)
		for _, name := range names {
			set[name] = true
		}
		nb.SetSource(i, text)
	}
	for _, name := range slices.Sorted(maps.Keys(params)) {
		switch {
		case set[name]:
		case len(known) == 0:
			return fmt.Errorf("parameter %q: the notebook takes none (no cell is tagged %q)", name, ParametersTag)
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
