package nativeops

import (
	"fmt"
	"strconv"
	"strings"
)

// program is a StableHLO module of one function, as GoMLX prints it: a statement a line, further lines indented deeper.
type program struct {
	head, tail string // what stands before the first statement and after the last
	statements []*statement
	defined    map[string]*statement // by the name of a result
	users      map[string][]*statement
}

// statement is one operation of the function.
type statement struct {
	results, operands []string // names, with %
	op                string   // without "stablehlo."
	attributes        map[string]string
	in, out           []shape
	text              string // as it stands in the program, with its line breaks
	live              bool   // the function's result depends on it
	region            bool   // it holds a function of its own
}

// shape is the type of a value: "f32", [8 64 96 16].
type shape struct {
	element string
	dims    []int
}

func (s shape) String() string {
	var b strings.Builder
	b.WriteString("tensor<")
	for _, d := range s.dims {
		fmt.Fprintf(&b, "%dx", d)
	}
	return b.String() + s.element + ">"
}

// image tells whether a value is [batch, height, width, channels] of float32.
func (s shape) image() bool { return s.element == "f32" && len(s.dims) == 4 }

const indent = "    "

// parse reads a program. It knows what GoMLX writes and nothing else: ok is false for any other.
func parse(text string) (p *program, ok bool) {
	p = &program{defined: map[string]*statement{}, users: map[string][]*statement{}}
	if strings.Count(text, "func.func") != 1 || !strings.Contains(text, "func.func @main(") {
		return nil, false
	}
	lines := strings.SplitAfter(text, "\n")
	first := 0
	for first < len(lines) && !starts(lines[first]) {
		first++
	}
	last := len(lines)
	for last > first && !strings.HasPrefix(lines[last-1], indent) {
		last--
	}
	p.head, p.tail = strings.Join(lines[:first], ""), strings.Join(lines[last:], "")
	for i := first; i < last; {
		next := i + 1
		for next < last && !starts(lines[next]) {
			next++
		}
		s, ok := parseStatement(strings.Join(lines[i:next], ""))
		if !ok {
			return nil, false
		}
		p.statements = append(p.statements, s)
		i = next
	}
	return p, len(p.statements) > 0 && p.link()
}

// starts tells whether a line begins a statement of the function.
func starts(line string) bool {
	return strings.HasPrefix(line, indent+"%") || strings.HasPrefix(line, indent+`"`)
}

func parseStatement(text string) (*statement, bool) {
	s := &statement{text: text, attributes: map[string]string{}}
	rest := strings.TrimSpace(text)
	if strings.HasPrefix(rest, "%") {
		names, after, found := strings.Cut(rest, " = ")
		if !found {
			return nil, false
		}
		s.results, rest = strings.Split(names, ", "), after
		for _, r := range s.results {
			if !isName(r) {
				return nil, false
			}
		}
	}
	op, rest, found := strings.Cut(rest, "(")
	s.op = strings.TrimPrefix(strings.Trim(op, `"`), "stablehlo.")
	end := closing(rest, ')')
	if !found || end < 0 {
		return nil, false
	}
	if operands := rest[:end]; operands != "" {
		s.operands = strings.Split(operands, ", ")
	}
	rest = strings.TrimSpace(rest[end+1:])
	if strings.HasPrefix(rest, "({") {
		s.region = true
		if end = closing(rest[1:], ')'); end < 0 {
			return nil, false
		}
		rest = strings.TrimSpace(rest[end+2:])
	}
	if strings.HasPrefix(rest, "{") {
		if end = closing(rest[1:], '}'); end < 0 {
			return nil, false
		}
		for _, a := range split(rest[1 : end+1]) {
			key, value, found := strings.Cut(a, "=")
			if !found {
				return nil, false
			}
			s.attributes[strings.TrimSpace(key)] = strings.TrimSpace(value)
		}
		rest = strings.TrimSpace(rest[end+2:])
	}
	in, out, found := strings.Cut(strings.TrimPrefix(rest, ":"), "->")
	if !found {
		return nil, false
	}
	var okIn, okOut bool
	s.in, okIn = parseShapes(in)
	s.out, okOut = parseShapes(out)
	return s, okIn && okOut && len(s.in) == len(s.operands) && len(s.out) == len(s.results)
}

// closing is where the bracket that is open before text closes; -1 if it doesn't.
func closing(text string, bracket byte) int {
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			quoted = !quoted
		case quoted:
		case depth == 0 && c == bracket:
			return i
		case strings.IndexByte("([{", c) >= 0:
			depth++
		case strings.IndexByte(")]}", c) >= 0:
			depth--
		}
	}
	return -1
}

// split cuts a list at the commas that are in no bracket.
func split(text string) (parts []string) {
	depth, from := 0, 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '(', '[', '{', '<':
			depth++
		case ')', ']', '}':
			depth--
		case '>':
			if i == 0 || text[i-1] != '-' {
				depth--
			}
		case ',':
			if depth == 0 {
				parts, from = append(parts, strings.TrimSpace(text[from:i])), i+1
			}
		}
	}
	if last := strings.TrimSpace(text[from:]); last != "" {
		parts = append(parts, last)
	}
	return parts
}

func parseShapes(text string) (list []shape, ok bool) {
	text = strings.TrimSpace(text)
	if strings.HasPrefix(text, "(") {
		text = strings.TrimSuffix(text[1:], ")")
	}
	for _, t := range split(text) {
		inner, found := strings.CutPrefix(t, "tensor<")
		if !found || !strings.HasSuffix(inner, ">") {
			return nil, false
		}
		var s shape
		parts := strings.Split(strings.TrimSuffix(inner, ">"), "x")
		for _, d := range parts[:len(parts)-1] {
			n, err := strconv.Atoi(d)
			if err != nil {
				return nil, false
			}
			s.dims = append(s.dims, n)
		}
		s.element = parts[len(parts)-1]
		list = append(list, s)
	}
	return list, true
}

// link finds who defines and who uses a value, and what the function's result depends on. Values that a region takes from
// outside are used, too.
func (p *program) link() bool {
	for _, s := range p.statements {
		for _, r := range s.results {
			if p.defined[r] != nil {
				return false
			}
			p.defined[r] = s
		}
	}
	end := p.statements[len(p.statements)-1]
	if end.op != "return" {
		return false
	}
	end.live = true
	for i := len(p.statements) - 1; i >= 0; i-- {
		s := p.statements[i]
		if !s.live {
			continue
		}
		for _, o := range append(captured(s), s.operands...) {
			p.users[o] = append(p.users[o], s)
			if d := p.defined[o]; d != nil {
				d.live = true
			}
		}
	}
	return true
}

// captured lists the names in a statement's region, if it has one.
func captured(s *statement) (names []string) {
	if !s.region {
		return nil
	}
	_, body, _ := strings.Cut(s.text, "({")
	for _, part := range strings.Split(body, "%")[1:] {
		if end := strings.IndexFunc(part, func(r rune) bool { return !inName(r) }); end >= 0 {
			names = append(names, "%"+part[:end])
		}
	}
	return names
}

func isName(value string) bool {
	name, found := strings.CutPrefix(value, "%")
	return found && name != "" && strings.IndexFunc(name, func(r rune) bool { return !inName(r) }) < 0
}

// inName tells whether MLIR allows r in a value's name.
func inName(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("_.$-", r)
}

// by is the statement that defines a value, if it is such an operation.
func (p *program) by(name, op string) *statement {
	if s := p.defined[name]; s != nil && s.op == op {
		return s
	}
	return nil
}

// onlyUser is the one statement that uses s, if it is such an operation.
func (p *program) onlyUser(s *statement, op string) *statement {
	var all []*statement
	for _, r := range s.results {
		all = append(all, p.users[r]...)
	}
	if len(all) == 1 && all[0].op == op {
		return all[0]
	}
	return nil
}

// constant tells whether a value, a scalar or one broadcast, is this number.
func (p *program) constant(name string, want float64) bool {
	text, ok := p.scalar(name)
	v, err := strconv.ParseFloat(text, 64)
	return ok && err == nil && v == want
}

// scalar is the number, as printed, that a value is or is everywhere.
func (p *program) scalar(name string) (text string, ok bool) {
	if s := p.by(name, "broadcast_in_dim"); s != nil && len(s.in[0].dims) == 0 {
		name = s.operands[0]
	}
	s := p.by(name, "constant")
	if s == nil || len(s.out[0].dims) != 0 || s.out[0].element != "f32" {
		return "", false
	}
	text, _, _ = strings.Cut(strings.TrimPrefix(s.attributes["value"], "dense<"), ">")
	return text, !strings.HasPrefix(text, "0x") // bits, of what is no finite number
}

// String is the program's text.
func (p *program) String() string {
	var b strings.Builder
	b.WriteString(p.head)
	for _, s := range p.statements {
		b.WriteString(s.text)
	}
	b.WriteString(p.tail)
	return b.String()
}
