package nativeops

// Adam's update of one variable (Kingma and Ba, 2015; with decoupled weight decay Loshchilov and Hutter, 2019), as GoMLX writes it.
var (
	adamStep = "(divide (multiply @rate (multiply first:(add (multiply @beta1 m) (multiply @rest1 g)) @bias1))" +
		" (add (sqrt (multiply second:(add (multiply @beta2 v) (multiply @rest2 (multiply g g))) @bias2)) @epsilon))"
	adam      = parsePattern("(subtract w " + adamStep + ")")
	adamDecay = parsePattern("(subtract w (add " + adamStep + " (multiply @rate (multiply w @decay))))")
)

// adam replaces an update of a variable and its moments, one pass over memory instead of three.
func (p *program) adam(s *statement) *call {
	f, decays := found{}, false
	if !p.find(adam, s.results[0], f) {
		if f, decays = (found{}), true; !p.find(adamDecay, s.results[0], f) {
			return nil
		}
	}
	// The moments are results of the call, which stands where the variable's update stood: only the end may ask for them.
	for _, moment := range []string{"first", "second"} {
		for _, u := range p.users[f[moment]] {
			if u.op != "return" && u.op != "multiply" {
				return nil
			}
		}
		if p.users[f[moment]] == nil || len(p.users[f[moment]]) > 2 {
			return nil
		}
	}
	of, scalar := s.out[0], shape{element: "f32"}
	if of.element != "f32" {
		return nil
	}
	c := &call{target: "sswe.adam", results: []string{s.results[0], f["first"], f["second"]}, out: []shape{of, of, of},
		operands: []string{f["w"], f["m"], f["v"], f["g"]}, in: []shape{of, of, of, of}}
	names := []string{"rate", "beta1", "rest1", "bias1", "beta2", "rest2", "bias2", "epsilon"}
	if decays {
		names = append(names, "decay")
	}
	for _, n := range names {
		c.operands, c.in = append(c.operands, f[n]), append(c.in, scalar)
	}
	return c
}
