package nativeops

// lowest is how GoMLX writes minus infinity.
const lowest = "dense<0xff800000> : tensor<f32>"

var pooled = parsePattern("(reduce blocks:(reshape x) low)")

// pool replaces the maximum of each 2x2 block of an image.
func (p *program) pool(s *statement) *call {
	f := found{}
	if !p.find(pooled, s.results[0], f) {
		return nil
	}
	blocks, low := p.defined[f["blocks"]], p.by(f["low"], "constant")
	if low == nil || low.attributes["value"] != lowest || !s.reducesBlocks(blocks.in[0], blocks.out[0], "maximum") {
		return nil
	}
	return &call{target: "sswe.pool", results: s.results, out: s.out, operands: []string{f["x"]}, in: blocks.in}
}

// GoMLX's gradient of a maximum: 1 where x is not below it.
var poolGradient = parsePattern("(reshape (multiply (broadcast_in_dim (reshape dy)) (sign (add (sign (subtract (reshape x) (broadcast_in_dim (reshape y)))) 1.0))))")

// poolGradient replaces the gradient of pool, unless a sum takes it along.
func (p *program) poolGradient(s *statement) *call {
	if sum := p.onlyUser(s, "add"); sum != nil && p.poolGradientAnd(sum) != nil {
		return nil
	}
	return p.gradientOfPool(s, s)
}

// poolGradientAnd replaces its sum with another gradient, that of a skip.
func (p *program) poolGradientAnd(sum *statement) *call {
	for i, o := range sum.operands {
		s := p.by(o, "reshape")
		if s == nil || p.onlyUser(s, "add") != sum {
			continue
		}
		if c := p.gradientOfPool(s, sum); c != nil {
			c.operands, c.in = append(c.operands, sum.operands[1-i]), append(c.in, sum.in[1-i])
			return c
		}
	}
	return nil
}

func (p *program) gradientOfPool(s, at *statement) *call {
	f := found{}
	if !p.find(poolGradient, s.results[0], f) {
		return nil
	}
	y, dy := p.by(f["y"], "reduce"), p.typeOf(f["dy"])
	if y == nil || dy == nil {
		return nil
	}
	forward := p.pool(y)
	if forward == nil || forward.operands[0] != f["x"] || dy.String() != y.out[0].String() || s.out[0].String() != forward.in[0].String() {
		return nil
	}
	return &call{target: "sswe.pool_gradient", results: at.results, out: at.out, operands: []string{f["x"], f["y"], f["dy"]}, in: []shape{forward.in[0], y.out[0], *dy}}
}

// typeOf is a value's type; nil for the function's parameters.
func (p *program) typeOf(name string) *shape {
	s := p.defined[name]
	if s == nil {
		return nil
	}
	for i, r := range s.results {
		if r == name {
			return &s.out[i]
		}
	}
	return nil
}
