package metric

// Pairs counts, for each pair of clusters, the pairs of a positive of the first and a negative of the second whose
// scores are in the right order. The area under the curve of any resampling of clusters follows from it without sorting
// a score again: with ten patients, from a hundred numbers.
type Pairs struct {
	right                [][]float64 // [cluster of the positive][cluster of the negative], ties counting half
	positives, negatives []float64   // by cluster
}

// NewPairs counts the pairs of clusters 0 to clusters-1; nil where the slices differ in length or name another cluster.
func NewPairs(scores []float64, positive []bool, cluster []int, clusters int) *Pairs {
	if len(scores) != len(positive) || len(cluster) != len(positive) {
		return nil
	}
	p := &Pairs{right: make([][]float64, clusters), positives: make([]float64, clusters), negatives: make([]float64, clusters)}
	for c := range p.right {
		p.right[c] = make([]float64, clusters)
	}
	for i, c := range cluster {
		switch {
		case c < 0 || c >= clusters:
			return nil
		case positive[i]:
			p.positives[c]++
		default:
			p.negatives[c]++
		}
	}
	order := ascending(scores)
	below := make([]float64, clusters) // negatives with a lower score, half of the equal ones
	half := func(from, to int) {
		for _, i := range order[from:to] {
			if !positive[i] {
				below[cluster[i]] += 0.5
			}
		}
	}
	for from := 0; from < len(order); {
		to := tiesEnd(scores, order, from)
		half(from, to)
		for _, i := range order[from:to] {
			if positive[i] {
				row := p.right[cluster[i]]
				for c, n := range below {
					row[c] += n
				}
			}
		}
		half(from, to)
		from = to
	}
	return p
}

// AUC is the area with cluster c counted weights[c] times; ok is false where that leaves a class empty.
func (p *Pairs) AUC(weights []float64) (auc float64, ok bool) {
	var right, positives, negatives float64
	for c, w := range weights {
		if w == 0 {
			continue
		}
		positives, negatives = positives+w*p.positives[c], negatives+w*p.negatives[c]
		for d, v := range weights {
			right += w * v * p.right[c][d]
		}
	}
	return right / (positives * negatives), positives > 0 && negatives > 0
}

// RankPairs holds sums of products of partial ranks, so that the rank correlation of any resampling of clusters needs
// neither a sort nor a pass over the values. The rank of a value in a resampling is the sum over clusters of how many of
// their values lie below it, times how often each was drawn; its products are sums over three clusters.
type RankPairs struct {
	size       []float64 // of each cluster
	xx, yy, xy []float64 // [cluster of the value][cluster ranked by the first][cluster ranked by the second]
}

// NewRankPairs sums the pairs of clusters 0 to clusters-1; nil where the slices differ in length or name another cluster.
func NewRankPairs(x, y []float64, cluster []int, clusters int) *RankPairs {
	if len(x) != len(y) || len(cluster) != len(x) {
		return nil
	}
	p := &RankPairs{size: make([]float64, clusters)}
	for _, table := range []*[]float64{&p.xx, &p.yy, &p.xy} {
		*table = make([]float64, clusters*clusters*clusters)
	}
	for _, c := range cluster {
		if c < 0 || c >= clusters {
			return nil
		}
		p.size[c]++
	}
	belowX, belowY := partialRanks(x, cluster, clusters), partialRanks(y, cluster, clusters)
	for i, c := range cluster {
		rx, ry := belowX[i*clusters:(i+1)*clusters], belowY[i*clusters:(i+1)*clusters]
		for d := range clusters {
			from := (c*clusters + d) * clusters
			xx, yy, xy := p.xx[from:from+clusters], p.yy[from:from+clusters], p.xy[from:from+clusters]
			for e := range ry {
				xx[e] += rx[d] * rx[e]
				yy[e] += ry[d] * ry[e]
				xy[e] += rx[d] * ry[e]
			}
		}
	}
	return p
}

// partialRanks counts for each value, [value][cluster], the values of that cluster below it, equal ones half.
func partialRanks(values []float64, cluster []int, clusters int) []float64 {
	order, ranks, below := ascending(values), make([]float64, len(values)*clusters), make([]float64, clusters)
	for from := 0; from < len(order); {
		to := tiesEnd(values, order, from)
		for _, i := range order[from:to] {
			below[cluster[i]] += 0.5
		}
		for _, i := range order[from:to] {
			copy(ranks[i*clusters:], below)
		}
		for _, i := range order[from:to] {
			below[cluster[i]] += 0.5
		}
		from = to
	}
	return ranks
}

// Spearman is the rank correlation with cluster c counted weights[c] times.
func (p *RankPairs) Spearman(weights []float64) float64 {
	var m Moments
	k := len(p.size)
	for c, w := range weights {
		m.N += w * p.size[c]
	}
	m.X, m.Y = m.N*m.N/2, m.N*m.N/2 // the mean rank is half of the number, ties or not
	for c, wc := range weights {
		for d, wd := range weights {
			if wc*wd == 0 {
				continue
			}
			from := (c*k + d) * k
			for e, we := range weights {
				w := wc * wd * we
				m.XX, m.YY, m.XY = m.XX+w*p.xx[from+e], m.YY+w*p.yy[from+e], m.XY+w*p.xy[from+e]
			}
		}
	}
	return m.Pearson()
}
