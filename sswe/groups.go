package sswe

// grouping collects pixel errors by group and patient.
type grouping struct {
	names         []string
	size, abs, at [][]float64 // [group][patient]: pixels, sum of absolute errors, sum of errors (kPa)
}

func newGrouping(patients int, names ...string) *grouping {
	g := &grouping{names: names}
	for _, table := range []*[][]float64{&g.size, &g.abs, &g.at} {
		for range names {
			*table = append(*table, make([]float64, patients))
		}
	}
	return g
}

// add counts one pixel's error, kPa, to a group.
func (g *grouping) add(group, patient int, errorKPa float64) {
	g.size[group][patient]++
	g.at[group][patient] += errorKPa
	g.abs[group][patient] += max(errorKPa, -errorKPa)
}

// list gives the groups that have pixels.
func (g *grouping) list(r resampling) []GroupError {
	var out []GroupError
	for k, name := range g.names {
		mae, ok := r.ratio(g.abs[k], g.size[k])
		if !ok {
			continue
		}
		bias, _ := r.ratio(g.at[k], g.size[k])
		e := GroupError{Group: name, MAEKPa: mae.Value, CI95: mae.CI95, BiasKPa: bias.Value, BiasCI95: bias.CI95}
		for _, n := range g.size[k] {
			e.Pixels += int(n)
			e.Patients += int(min(1, n))
		}
		out = append(out, e)
	}
	return out
}

// bin is the number of edges that v has reached.
func bin(v float64, edges ...float64) int {
	for i, e := range edges {
		if v < e {
			return i
		}
	}
	return len(edges)
}
