package nativeops

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Rewrite replaces what the native operations do in a StableHLO program. A program that it does not understand, that holds
// nothing of the kind, or that is meant for several devices, is returned as it is, with n = 0.
func Rewrite(text string) (rewritten string, n int) {
	if !strings.Contains(text, "stablehlo.convolution") || strings.Contains(text, "sdy.") || strings.Contains(text, "mhlo.sharding") {
		return text, 0
	}
	p, ok := parse(text)
	if !ok {
		return text, 0
	}
	calls := map[*statement]*call{} // all are found before any is put in: they look at what stands around them
	for _, s := range p.statements {
		if !s.live {
			continue
		}
		if c := p.match(s); c != nil {
			calls[s] = c
		}
	}
	if len(calls) == 0 {
		return text, 0
	}
	p.replace(calls)
	return p.String(), len(calls)
}

// match is the call that takes a statement's place, or nil.
func (p *program) match(s *statement) *call {
	switch s.op {
	case "convolution":
		return p.convolution(s)
	case "slice":
		return p.part(s)
	case "reduce":
		if c := p.pool(s); c != nil {
			return c
		}
		return p.blocks(s)
	case "add":
		return p.poolGradientAnd(s)
	case "reshape":
		return p.poolGradient(s)
	case "batch_norm_inference":
		return p.prediction(s)
	case "select":
		return p.rectified(s)
	case "batch_norm_training":
		return p.normalisation(s)
	case "batch_norm_grad":
		return p.normalisationGradient(s)
	case "subtract":
		return p.adam(s)
	}
	return nil
}

// replace puts calls in and drops what the function's result does not depend on any more. Where a call makes a later
// statement's result, that statement goes.
func (p *program) replace(calls map[*statement]*call) {
	for s, c := range calls {
		for _, r := range c.results {
			if d := p.defined[r]; d != s {
				d.results = nil
			}
		}
	}
	live := map[string]bool{}
	var kept []*statement
	for _, s := range slices.Backward(p.statements) {
		if c := calls[s]; c != nil {
			s.text, s.results, s.operands, s.region = c.String(), c.results, c.operands, false
		}
		if s.op != "return" && !slices.ContainsFunc(s.results, func(r string) bool { return live[r] }) {
			continue
		}
		for _, o := range append(captured(s), s.operands...) {
			live[o] = true
		}
		kept = append(kept, s)
	}
	slices.Reverse(kept)
	p.statements = kept
}

// call is a custom call of XLA's typed foreign function interface.
type call struct {
	target            string
	results, operands []string
	in, out           []shape
	numbers           map[string]int
	reals             map[string]string // as they stand in the program
}

func (c *call) String() string {
	var config []string
	for k, v := range c.numbers {
		config = append(config, fmt.Sprintf("%s = %d : i64", k, v))
	}
	for k, v := range c.reals {
		config = append(config, fmt.Sprintf("%s = %s : f32", k, v))
	}
	slices.Sort(config)
	return fmt.Sprintf("%s%s = \"stablehlo.custom_call\"(%s) {\n%s  api_version = 4 : i32, backend_config = {%s}, call_target_name = %q,\n"+
		"%s  operand_layouts = [%s], result_layouts = [%s]\n%s} : (%s) -> %s\n",
		indent, strings.Join(c.results, ", "), strings.Join(c.operands, ", "), indent, strings.Join(config, ", "), c.target,
		indent, layouts(c.in), layouts(c.out), indent, shapes(c.in), tuple(c.out))
}

// layouts says that arrays lie row by row.
func layouts(list []shape) string {
	out := make([]string, len(list))
	for i, s := range list {
		order := make([]string, len(s.dims))
		for k := range order {
			order[k] = strconv.Itoa(len(s.dims) - 1 - k)
		}
		out[i] = fmt.Sprintf("dense<[%s]> : tensor<%dxindex>", strings.Join(order, ", "), len(s.dims))
		if len(s.dims) == 0 {
			out[i] = "dense<> : tensor<0xindex>"
		}
	}
	return strings.Join(out, ", ")
}

func shapes(list []shape) string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = s.String()
	}
	return strings.Join(out, ", ")
}

func tuple(list []shape) string {
	if len(list) == 1 {
		return list[0].String()
	}
	return "(" + shapes(list) + ")"
}
