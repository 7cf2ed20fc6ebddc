package metric

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Curve is a receiver operating characteristic of "score above a cut".
type Curve struct {
	FalsePositive, TruePositive []float64 // rates, from (0,0) to (1,1)
	Cut                         []float64 // scores above it are called positive at that point; +Inf first, -Inf last
	AUC                         float64
}

// ROC builds the curve of a score; ok is false where one of the classes is empty. A cut lies halfway between the scores
// it divides.
func ROC(scores []float64, positive []bool) (c Curve, ok bool) {
	p, n := classes(positive)
	if len(scores) != len(positive) || p == 0 || n == 0 {
		return Curve{}, false
	}
	order := ascending(scores)
	c = Curve{FalsePositive: []float64{0}, TruePositive: []float64{0}, Cut: []float64{math.Inf(1)}}
	var hits, alarms float64
	for i := len(order) - 1; i >= 0; {
		v := scores[order[i]]
		for ; i >= 0 && scores[order[i]] == v; i-- {
			if positive[order[i]] {
				hits++
			} else {
				alarms++
			}
		}
		cut := math.Inf(-1)
		if i >= 0 {
			cut = (v + scores[order[i]]) / 2
		}
		last := len(c.Cut) - 1
		c.AUC += (alarms/n - c.FalsePositive[last]) * (hits/p + c.TruePositive[last]) / 2
		c.FalsePositive, c.TruePositive, c.Cut = append(c.FalsePositive, alarms/n), append(c.TruePositive, hits/p), append(c.Cut, cut)
	}
	return c, true
}

// YoudenCut is the cut with the greatest sensitivity + specificity - 1, the highest of equals.
func (c Curve) YoudenCut() float64 {
	best, at := math.Inf(-1), undefined
	for i := range c.Cut {
		if j := c.TruePositive[i] - c.FalsePositive[i]; j > best && !math.IsInf(c.Cut[i], 0) {
			best, at = j, c.Cut[i]
		}
	}
	return at
}

func classes(positive []bool) (positives, negatives float64) {
	for _, p := range positive {
		if p {
			positives++
		} else {
			negatives++
		}
	}
	return positives, negatives
}

// Counts is a test's four-fold table.
type Counts struct{ TruePositive, FalseNegative, TrueNegative, FalsePositive float64 }

// CountsAt applies "score above cut"; slices of different length give an empty table.
func CountsAt(scores []float64, positive []bool, cut float64) Counts {
	var k Counts
	if len(scores) != len(positive) {
		return k
	}
	for i, p := range positive {
		switch called := scores[i] > cut; {
		case p && called:
			k.TruePositive++
		case p:
			k.FalseNegative++
		case called:
			k.FalsePositive++
		default:
			k.TrueNegative++
		}
	}
	return k
}

// Plus adds other, weight times.
func (k *Counts) Plus(other Counts, weight float64) {
	k.TruePositive += weight * other.TruePositive
	k.FalseNegative += weight * other.FalseNegative
	k.TrueNegative += weight * other.TrueNegative
	k.FalsePositive += weight * other.FalsePositive
}

// Sensitivity is the share of positives that are called so.
func (k Counts) Sensitivity() float64 { return k.TruePositive / (k.TruePositive + k.FalseNegative) }

// Specificity is the share of negatives that are called so.
func (k Counts) Specificity() float64 { return k.TrueNegative / (k.TrueNegative + k.FalsePositive) }

// Wilson is the 95 % interval of a proportion of independent trials (Wilson, J Am Stat Assoc 22:209, 1927). Regions of
// one patient are not independent: then it is too narrow.
func Wilson(successes, trials float64) Interval {
	if !(trials > 0) || successes < 0 || successes > trials {
		return Interval{undefined, undefined}
	}
	p, zz := successes/trials, z95*z95
	middle := (p + zz/(2*trials)) / (1 + zz/trials)
	half := z95 / (1 + zz/trials) * math.Sqrt(p*(1-p)/trials+zz/(4*trials*trials))
	return Interval{max(0, middle-half), min(1, middle+half)}
}

// Comparison is two areas under curves of the same subjects.
type Comparison struct {
	AUC, Variance [2]float64
	Covariance    float64
	Z, P          float64 // of the difference first minus second; two-sided, normal; NaN where one cluster holds a whole class
}

// CompareAUC compares two scores of the same subjects by DeLong's method (Biometrics 44:837, 1988) or, where subjects
// come in clusters, by Obuchowski's extension (Biometrics 53:567, 1997), of which DeLong's is the case of clusters of one.
// cluster numbers each subject's cluster, from 0; nil makes each its own.
func CompareAUC(first, second []float64, positive []bool, cluster []int) (Comparison, bool) {
	p, n := classes(positive)
	if len(first) != len(positive) || len(second) != len(positive) || cluster != nil && len(cluster) != len(positive) || p == 0 || n == 0 {
		return Comparison{}, false
	}
	if cluster == nil {
		cluster = make([]int, len(positive))
		for i := range cluster {
			cluster[i] = i
		}
	}
	k := newComponents(positive, cluster)
	var c Comparison
	a, b := k.deviations(placements(first, positive, p, n), positive, cluster), k.deviations(placements(second, positive, p, n), positive, cluster)
	c.AUC = [2]float64{a.auc, b.auc}
	c.Variance, c.Covariance = [2]float64{k.covariance(a, a), k.covariance(b, b)}, k.covariance(a, b)
	difference, variance := a.auc-b.auc, c.Variance[0]+c.Variance[1]-2*c.Covariance
	switch {
	case math.IsNaN(variance) || math.IsInf(variance, 0): // a class comes from one cluster alone
		c.Z = undefined
	case variance > 1e-15:
		c.Z = difference / math.Sqrt(variance)
	case difference != 0:
		c.Z = math.Copysign(math.Inf(1), difference)
	}
	c.P = 2 * distuv.UnitNormal.CDF(-math.Abs(c.Z))
	return c, true
}

// placements are DeLong's structural components: of a positive, the share of negatives with a lower score; of a
// negative, the share of positives with a higher one. Ties count half.
func placements(scores []float64, positive []bool, p, n float64) []float64 {
	order, out := ascending(scores), make([]float64, len(scores))
	var positivesBelow, negativesBelow float64
	for from := 0; from < len(order); {
		to := tiesEnd(scores, order, from)
		var tiedPositives, tiedNegatives float64
		for _, i := range order[from:to] {
			if positive[i] {
				tiedPositives++
			} else {
				tiedNegatives++
			}
		}
		for _, i := range order[from:to] {
			if positive[i] {
				out[i] = (negativesBelow + tiedNegatives/2) / n
			} else {
				out[i] = (p - positivesBelow - tiedPositives/2) / p
			}
		}
		positivesBelow, negativesBelow = positivesBelow+tiedPositives, negativesBelow+tiedNegatives
		from = to
	}
	return out
}

// components holds what Obuchowski's variance needs of the clusters: how many of each class each has.
type components struct {
	positives, negatives         []float64 // by cluster
	withPositives, withNegatives float64   // clusters that have any
	clusters, totalP, totalN     float64
}

func newComponents(positive []bool, cluster []int) components {
	size := 0
	for _, c := range cluster {
		size = max(size, c+1)
	}
	k := components{positives: make([]float64, size), negatives: make([]float64, size)}
	for i, c := range cluster {
		if positive[i] {
			k.positives[c]++
		} else {
			k.negatives[c]++
		}
	}
	for c := range size {
		k.totalP, k.totalN = k.totalP+k.positives[c], k.totalN+k.negatives[c]
		k.withPositives += min(1, k.positives[c])
		k.withNegatives += min(1, k.negatives[c])
		k.clusters += min(1, k.positives[c]+k.negatives[c])
	}
	return k
}

// deviations are each cluster's sum of placements minus what the area predicts.
type deviations struct {
	auc                  float64
	positives, negatives []float64
}

func (k components) deviations(placement []float64, positive []bool, cluster []int) deviations {
	d := deviations{positives: make([]float64, len(k.positives)), negatives: make([]float64, len(k.negatives))}
	for i, v := range placement {
		if positive[i] {
			d.auc += v / k.totalP
			d.positives[cluster[i]] += v
		} else {
			d.negatives[cluster[i]] += v
		}
	}
	for c := range d.positives {
		d.positives[c] -= k.positives[c] * d.auc
		d.negatives[c] -= k.negatives[c] * d.auc
	}
	return d
}

// covariance of the two areas; the variance where a is b.
func (k components) covariance(a, b deviations) float64 {
	var positives, negatives, both float64
	for c := range a.positives {
		positives += a.positives[c] * b.positives[c]
		negatives += a.negatives[c] * b.negatives[c]
		both += a.positives[c]*b.negatives[c] + a.negatives[c]*b.positives[c]
	}
	scale := func(groups float64) float64 { return groups / (groups - 1) }
	return scale(k.withPositives)*positives/(k.totalP*k.totalP) + scale(k.withNegatives)*negatives/(k.totalN*k.totalN) +
		scale(k.clusters)*both/(k.totalP*k.totalN)
}
