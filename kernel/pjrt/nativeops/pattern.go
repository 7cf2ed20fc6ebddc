package nativeops

import (
	"strconv"
	"strings"
)

// pattern is a formula to be found in a program:
//
//	(add a b)      the result of that operation
//	m:(add a b)    the same, called m
//	a              any value; where the name comes again, the same value
//	@a             a number, broadcast to whatever shape; a is the scalar
//	0.0            that number, broadcast or not
//
// An operation may carry one of its attributes behind a slash: (compare/GT a b).
type pattern struct {
	name     string // "" for an operation without name
	op, with string
	scalar   bool
	value    float64
	constant bool
	operands []pattern
}

// parsePattern reads a pattern. It is called on the package's own texts: bad ones panic.
func parsePattern(text string) pattern {
	p, rest := readPattern(strings.TrimSpace(text))
	if rest != "" {
		panic("pattern " + text + ": " + rest)
	}
	return p
}

func readPattern(text string) (p pattern, rest string) {
	if name, after, found := strings.Cut(text, ":("); found && !strings.ContainsAny(name, "( )") {
		p.name, text = name, "("+after
	}
	if !strings.HasPrefix(text, "(") {
		end := strings.IndexAny(text, " )")
		if end < 0 {
			end = len(text)
		}
		word := text[:end]
		if v, err := strconv.ParseFloat(word, 64); err == nil {
			return pattern{value: v, constant: true}, text[end:]
		}
		p.name, p.scalar = strings.CutPrefix(word, "@")
		return p, text[end:]
	}
	end := strings.IndexAny(text, " )")
	p.op, p.with, _ = strings.Cut(text[1:end], "/")
	for rest = text[end:]; strings.HasPrefix(rest, " "); {
		var o pattern
		o, rest = readPattern(strings.TrimLeft(rest, " "))
		p.operands = append(p.operands, o)
	}
	return p, strings.TrimPrefix(rest, ")")
}

// found holds, for each name of a pattern, the value it stands for.
type found map[string]string

// find tells whether a value is what the pattern says; what its names stand for goes into f.
func (p *program) find(t pattern, value string, f found) bool {
	if t.constant {
		return p.constant(value, t.value)
	}
	if t.op == "" {
		if t.scalar {
			s := p.by(value, "broadcast_in_dim")
			if s == nil || len(s.in[0].dims) != 0 {
				return false
			}
			value = s.operands[0]
		}
		return f.bind(t.name, value)
	}
	s := p.by(value, t.op)
	if s == nil || len(s.operands) != len(t.operands) || t.with != "" && !s.has(t.with) {
		return false
	}
	for i, o := range t.operands {
		if !p.find(o, s.operands[i], f) {
			return false
		}
	}
	return t.name == "" || f.bind(t.name, value)
}

func (f found) bind(name, value string) bool {
	if old, known := f[name]; known {
		return old == value
	}
	f[name] = value
	return true
}

// has tells whether one of a statement's attributes ends in a word.
func (s *statement) has(word string) bool {
	for _, v := range s.attributes {
		if strings.HasSuffix(strings.TrimSuffix(v, ">"), " "+word) {
			return true
		}
	}
	return false
}
