package sswe

// grouping collects pixel errors by group.
type grouping struct {
	names []string
	sum   []GroupError
}

func newGrouping(names ...string) *grouping {
	return &grouping{names: names, sum: make([]GroupError, len(names))}
}

// add counts one pixel's error, kPa, to a group.
func (g *grouping) add(group int, errorKPa float64) {
	s := &g.sum[group]
	s.Pixels++
	s.BiasKPa += errorKPa
	s.MAEKPa += max(errorKPa, -errorKPa)
}

// list gives the groups that have pixels.
func (g *grouping) list() []GroupError {
	var out []GroupError
	for i, s := range g.sum {
		if s.Pixels > 0 {
			n := float64(s.Pixels)
			out = append(out, GroupError{Group: g.names[i], MAEKPa: s.MAEKPa / n, BiasKPa: s.BiasKPa / n, Pixels: s.Pixels})
		}
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
