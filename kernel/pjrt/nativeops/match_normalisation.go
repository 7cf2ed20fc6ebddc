package nativeops

import (
	"slices"
	"strings"
)

// normalises tells whether a statement normalises the channels of images, and by which epsilon.
func (s *statement) normalises() (epsilon string, ok bool) {
	epsilon, _, _ = strings.Cut(s.attributes["epsilon"], " ")
	return epsilon, s.in[0].image() && s.attributes["feature_index"] == "3 : i64"
}

// without is the slope of a rectifier that changes nothing.
const without = "1.0"

// prediction replaces normalisation by known statistics, with its convolution, where no rectifier does.
func (p *program) prediction(s *statement) *call {
	if p.rectifier(s.results[0]) != nil {
		return nil
	}
	return p.normalisedConvolution(s, s.results, without)
}

// rectified replaces a rectifier behind it.
func (p *program) rectified(s *statement) *call {
	norm := p.by(s.operands[1], "batch_norm_inference")
	if norm == nil {
		return nil
	}
	if r := p.rectifier(norm.results[0]); r != nil && r.chosen == s {
		return p.normalisedConvolution(norm, s.results, r.slope)
	}
	return nil
}

// rectifier is select(x > 0, x, slope x), behind a value of which nothing else is made.
type rectifier struct {
	chosen   *statement
	positive string
	slope    string // as printed
}

var leaky = parsePattern("(select positive:(compare/GT x 0.0) x below:(multiply x @slope))")

func (p *program) rectifier(x string) *rectifier {
	for _, u := range p.users[x] {
		f := found{"x": x}
		if u.op != "select" || !p.find(leaky, u.results[0], f) {
			continue
		}
		part := []*statement{u, p.defined[f["positive"]], p.defined[f["below"]]}
		slope, ok := p.scalar(f["slope"])
		if !ok || len(p.users[f["below"]]) != 1 || slices.ContainsFunc(p.users[x], func(u *statement) bool { return !slices.Contains(part, u) }) {
			return nil
		}
		return &rectifier{chosen: u, positive: f["positive"], slope: slope}
	}
	return nil
}

// normalisation replaces batch normalisation in training, with the rectifier behind it where nothing else asks for what lies
// between them. The rectifier's result is then made here, before all that depends on it.
func (p *program) normalisation(s *statement) *call {
	epsilon, ok := s.normalises()
	if !ok {
		return nil
	}
	c := &call{target: "sswe.normalisation", results: slices.Clone(s.results), out: s.out, operands: s.operands, in: s.in,
		reals: map[string]string{"epsilon": epsilon, "slope": without}}
	if r, _ := p.taken(s); r != nil {
		c.results[0], c.reals["slope"] = r.chosen.results[0], r.slope
	}
	return c
}

var leakyGradient = parsePattern("(add yes:(select positive dy 0.0) (multiply no:(select positive 0.0 dy) @slope))")

// taken is the rectifier that goes with a normalisation in training: its gradient, if there is one, goes into the
// normalisation's. dy is what that gradient is given.
func (p *program) taken(s *statement) (r *rectifier, dy string) {
	r = p.rectifier(s.results[0])
	if r == nil {
		return nil, ""
	}
	var yes, no *statement
	if g := p.gradientOf(s); g != nil {
		f := found{"positive": r.positive}
		sum := p.by(g.operands[4], "add")
		if sum == nil || p.onlyUser(sum, "batch_norm_grad") != g || !p.find(leakyGradient, g.operands[4], f) {
			return nil, ""
		}
		if slope, ok := p.scalar(f["slope"]); !ok || slope != r.slope {
			return nil, ""
		}
		yes, no, dy = p.defined[f["yes"]], p.defined[f["no"]], f["dy"]
	}
	for _, u := range p.users[r.positive] {
		if u != r.chosen && u != yes && u != no {
			return nil, ""
		}
	}
	return r, dy
}

// gradientOf is the gradient of a normalisation in training, if there is one.
func (p *program) gradientOf(s *statement) *statement {
	for _, u := range p.users[s.results[1]] {
		if u.op == "batch_norm_grad" && slices.Equal(u.operands[:4], []string{s.operands[0], s.operands[1], s.results[1], s.results[2]}) {
			return u
		}
	}
	return nil
}

// normalisationGradient replaces the gradient of batch normalisation and, where normalisation took it along, of the rectifier.
func (p *program) normalisationGradient(s *statement) *call {
	epsilon, ok := s.normalises()
	training := p.by(s.operands[2], "batch_norm_training") // tells the offset
	if !ok || training == nil || p.gradientOf(training) != s {
		return nil
	}
	c := &call{target: "sswe.normalisation_gradient", results: s.results, out: s.out,
		operands: slices.Insert(slices.Clone(s.operands), 2, training.operands[2]), in: slices.Insert(slices.Clone(s.in), 2, training.in[2]),
		reals: map[string]string{"epsilon": epsilon, "slope": without}}
	if r, dy := p.taken(training); r != nil {
		c.operands[5], c.reals["slope"] = dy, r.slope
	}
	return c
}
