package nativeops

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// What a convolution computes, by the roles of its operands' axes.
const (
	forward        = "[b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f]"
	inputGradient  = "[b, 0, 1, f]x[0, 1, o, i]->[b, 0, 1, f]" // of dy and the reversed kernel
	filterGradient = "[f, 0, 1, b]x[i, 0, 1, o]->[0, 1, b, f]" // of x and dy
)

// mostTaps is how many a kernel may have.
const mostTaps = 49

var plainConvolution = map[string]string{
	"batch_group_count": "1 : i64", "feature_group_count": "1 : i64", "window_strides": "array<i64: 1, 1>",
	"lhs_dilation": "array<i64: 1, 1>", "rhs_dilation": "array<i64: 1, 1>", "window_reversal": "array<i1: false, false>",
}

// kind tells which of the three a statement is, with one step a pixel, zeros outside and an odd kernel: "" for any other.
func (s *statement) kind() string {
	kind := strings.TrimSuffix(strings.TrimPrefix(s.attributes["dimension_numbers"], "#stablehlo.conv<"), ">")
	if s.op != "convolution" || kind != forward && kind != inputGradient && kind != filterGradient ||
		!s.in[0].image() || !s.in[1].image() || !s.out[0].image() {
		return ""
	}
	for k, v := range plainConvolution {
		if s.attributes[k] != v {
			return ""
		}
	}
	window := s.in[1]
	if kind == filterGradient {
		window = s.out[0]
	}
	rows, columns := window.dims[0], window.dims[1]
	around := numbers(s.attributes["padding"])
	if len(around) == 1 {
		around = slices.Repeat(around, 4)
	}
	if rows%2 == 0 || columns%2 == 0 || rows*columns > mostTaps || !slices.Equal(around, []int{rows / 2, rows / 2, columns / 2, columns / 2}) {
		return ""
	}
	return kind
}

var integer = regexp.MustCompile(`-?\d+`)

// numbers lists those of an attribute like array<i64: 1, 2> or dense<[[1, 1], [1, 1]]> : tensor<2x2xi64>.
func numbers(attribute string) (list []int) {
	values, isArray := strings.CutPrefix(attribute, "array<i64:")
	if !isArray {
		values, _, _ = strings.Cut(attribute, ":")
	}
	for _, m := range integer.FindAllString(values, -1) {
		n, err := strconv.Atoi(m)
		if err != nil {
			return nil
		}
		list = append(list, n)
	}
	return list
}

// source is what a convolution reads: one image or two behind one another, the first perhaps enlarged.
type source struct {
	names   []string
	shapes  []shape
	enlarge int // 1, or 2: each pixel repeated to 2x2
}

func (s source) numbers() map[string]int {
	return map[string]int{"sources": len(s.names), "enlarge": s.enlarge}
}

// source sees through concatenation and enlargement.
func (p *program) source(name string, of, kernel shape) source {
	parts := source{names: []string{name}, shapes: []shape{of}, enlarge: 1}
	if s := p.by(name, "concatenate"); s != nil && len(s.operands) == 2 && s.attributes["dimension"] == "3 : i64" {
		parts = source{names: slices.Clone(s.operands), shapes: slices.Clone(s.in), enlarge: 1}
	}
	if small, shape, ok := p.enlarged(parts.names[0]); ok && kernel.dims[0] == 3 && kernel.dims[1] == 3 {
		parts.names[0], parts.shapes[0], parts.enlarge = small, shape, 2
	}
	return parts
}

var repeated = parsePattern("(reshape blocks:(broadcast_in_dim (reshape small)))")

// enlarged finds the image of which name is the enlargement: [n,h,1,w,1,c] repeated to [n,h,2,w,2,c].
func (p *program) enlarged(name string) (small string, of shape, ok bool) {
	f := found{}
	if !p.find(repeated, name, f) {
		return "", shape{}, false
	}
	flat, blocks := p.defined[name], p.defined[f["blocks"]]
	spread := p.defined[blocks.operands[0]]
	if of = spread.in[0]; !of.image() || blocks.attributes["broadcast_dimensions"] != "array<i64: 0, 1, 2, 3, 4, 5>" {
		return "", shape{}, false
	}
	d := of.dims
	ok = slices.Equal(spread.out[0].dims, []int{d[0], d[1], 1, d[2], 1, d[3]}) && slices.Equal(blocks.out[0].dims, []int{d[0], d[1], 2, d[2], 2, d[3]}) &&
		slices.Equal(flat.out[0].dims, []int{d[0], 2 * d[1], 2 * d[2], d[3]})
	return f["small"], of, ok
}

// convolution replaces a convolution, unless what follows takes it along.
func (p *program) convolution(s *statement) *call {
	switch s.kind() {
	case forward:
		if p.onlyUser(s, "batch_norm_inference") == nil {
			src := p.source(s.operands[0], s.in[0], s.in[1])
			return &call{target: "sswe.convolution", results: s.results, out: s.out, numbers: src.numbers(),
				operands: append(src.names, s.operands[1]), in: append(src.shapes, s.in[1])}
		}
	case inputGradient:
		if !p.splits(s) {
			return p.inputGradient(s, s, 0, 1)
		}
	case filterGradient:
		src := p.source(s.operands[0], s.in[0], s.out[0])
		return &call{target: "sswe.filter_gradient", results: s.results, out: s.out, numbers: src.numbers(),
			operands: append(src.names, s.operands[1]), in: append(src.shapes, s.in[1])}
	}
	return nil
}

// normalisedConvolution is a convolution with the normalisation of a prediction behind it, and what follows that.
func (p *program) normalisedConvolution(norm *statement, results []string, slope string) *call {
	s := p.by(norm.operands[0], "convolution")
	epsilon, ok := norm.normalises()
	if s == nil || !ok || s.kind() != forward || p.onlyUser(s, "batch_norm_inference") != norm {
		return nil
	}
	src := p.source(s.operands[0], s.in[0], s.in[1])
	c := &call{target: "sswe.convolution", results: results, out: norm.out, numbers: map[string]int{"normalised": 1},
		operands: slices.Concat(src.names, s.operands[1:], norm.operands[1:]), in: slices.Concat(src.shapes, s.in[1:], norm.in[1:]),
		reals: map[string]string{"epsilon": epsilon, "slope": slope}}
	maps.Copy(c.numbers, src.numbers())
	return c
}

// inputGradient is what a convolution of this kind computes, or of its channels those from `from` on, or the sum over each
// enlarged pixel, written where `at` stands.
func (p *program) inputGradient(s, at *statement, from, enlarge int) *call {
	reversed := p.by(s.operands[1], "reverse")
	if reversed == nil || reversed.attributes["dimensions"] != "array<i64: 0, 1>" || enlarge == 2 && (s.in[1].dims[0] != 3 || s.in[1].dims[1] != 3) {
		return nil
	}
	return &call{target: "sswe.input_gradient", results: at.results, out: at.out, in: s.in,
		operands: []string{s.operands[0], reversed.operands[0]}, numbers: map[string]int{"from": from, "enlarge": enlarge}}
}

// splits tells whether all that is asked of an input gradient are parts, each of which becomes a gradient of its own.
func (p *program) splits(s *statement) bool {
	if p.summed(s) != nil {
		return true
	}
	users := p.users[s.results[0]]
	return len(users) > 0 && !slices.ContainsFunc(users, func(u *statement) bool { _, ok := u.channels(); return !ok })
}

// channels is where a slice of some channels of whole images starts.
func (s *statement) channels() (from int, ok bool) {
	if s.op != "slice" || !s.in[0].image() || s.attributes["strides"] != "array<i64: 1, 1, 1, 1>" || !slices.Equal(s.out[0].dims[:3], s.in[0].dims[:3]) {
		return 0, false
	}
	starts := numbers(s.attributes["start_indices"])
	return starts[len(starts)-1], len(starts) == 4
}

// part replaces a slice of an input gradient by the gradient of these channels alone.
func (p *program) part(s *statement) *call {
	whole := p.by(s.operands[0], "convolution")
	from, ok := s.channels()
	if whole == nil || !ok || whole.kind() != inputGradient || !p.splits(whole) || p.summed(s) != nil {
		return nil
	}
	return p.inputGradient(whole, s, from, 1)
}

var sumOfBlocks = parsePattern("(reduce (reshape x) 0.0)")

// blocks replaces the sum over each enlarged pixel of an input gradient, or of a part of it.
func (p *program) blocks(s *statement) *call {
	f := found{}
	if !p.find(sumOfBlocks, s.results[0], f) {
		return nil
	}
	x := p.defined[f["x"]]
	if x == nil || p.summed(x) != s {
		return nil
	}
	if x.kind() == inputGradient {
		return p.inputGradient(x, s, 0, 2)
	}
	from, ok := x.channels()
	if whole := p.by(x.operands[0], "convolution"); ok && whole != nil && whole.kind() == inputGradient && p.splits(whole) {
		return p.inputGradient(whole, s, from, 2)
	}
	return nil
}

// summed is the statement that adds up each 2x2 block of an image, if nothing else is made of it.
func (p *program) summed(s *statement) *statement {
	if len(s.out) != 1 || !s.out[0].image() {
		return nil
	}
	blocks := p.onlyUser(s, "reshape")
	if blocks == nil {
		return nil
	}
	sum := p.onlyUser(blocks, "reduce")
	if sum == nil || !sum.reducesBlocks(s.out[0], blocks.out[0], "add") || !p.constant(sum.operands[1], 0) {
		return nil
	}
	return sum
}

// reducesBlocks tells whether a statement reduces each 2x2 block of an image, which is reshaped to blocks, by an operation.
func (s *statement) reducesBlocks(image, blocks shape, op string) bool {
	d := image.dims
	return image.image() && slices.Equal(blocks.dims, []int{d[0], d[1] / 2, 2, d[2] / 2, 2, d[3]}) && s.attributes["dimensions"] == "array<i64: 2, 4>" &&
		strings.Contains(s.text, `"stablehlo.`+op+`"(%lhs, %rhs)`)
}
