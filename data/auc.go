package data

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
)

// bootstrapSamples is how often patients are drawn again for a 95 % interval.
const bootstrapSamples = 500

// Discrimination is how well a score tells tumour from benign tissue, regions as cases, patients as what is resampled.
type Discrimination struct {
	AUC           float64    `json:"auc"`
	CI95          [2]float64 `json:"ci95"` // percentile bootstrap over patients
	Tumour        int        `json:"tumour_regions"`
	Benign        int        `json:"benign_regions"`
	Cut           float64    `json:"youden_cut"` // score at which sensitivity + specificity is largest
	CutCI95       [2]float64 `json:"youden_cut_ci95"`
	Sensitivity   float64    `json:"sensitivity"`
	Specificity   float64    `json:"specificity"`
	FalsePositive []float64  `json:"false_positive"` // the curve, from (0,0) to (1,1)
	TruePositive  []float64  `json:"true_positive"`
}

// Discriminate scores regions; score gives NaN for those that have none. ok is false where a class is empty.
func Discriminate(regions []Region, seed uint64, score func(Region) float64) (d Discrimination, ok bool) {
	type entry struct {
		score   float64
		tumour  bool
		patient int
	}
	var list []entry
	patients := make(map[string]int)
	for _, r := range regions {
		v := score(r)
		if math.IsNaN(v) {
			continue
		}
		k, seen := patients[r.Patient]
		if !seen {
			k = len(patients)
			patients[r.Patient] = k
		}
		list = append(list, entry{v, r.Tumour, k})
	}
	slices.SortStableFunc(list, func(a, b entry) int { return cmp.Compare(b.score, a.score) })
	// walk goes down the scores and reports the weights of tumour and benign regions at or above each.
	walk := func(weight func(patient int) float64, at func(tumour, benign, score float64)) {
		var tumour, benign float64
		for k, e := range list {
			if e.tumour {
				tumour += weight(e.patient)
			} else {
				benign += weight(e.patient)
			}
			if k == len(list)-1 || list[k+1].score != e.score {
				at(tumour, benign, e.score)
			}
		}
	}
	area := func(weight func(int) float64) (float64, bool) {
		var sum, t0, b0 float64
		walk(weight, func(t, b, _ float64) { sum, t0, b0 = sum+(t+t0)/2*(b-b0), t, b })
		return sum / (t0 * b0), t0 > 0 && b0 > 0
	}
	once := func(int) float64 { return 1 }
	if d.AUC, ok = area(once); !ok {
		return Discrimination{}, false
	}
	for _, e := range list {
		if e.tumour {
			d.Tumour++
		} else {
			d.Benign++
		}
	}
	d.FalsePositive, d.TruePositive = []float64{0}, []float64{0}
	best := -1.0
	walk(once, func(t, b, v float64) {
		tpr, fpr := t/float64(d.Tumour), b/float64(d.Benign)
		if tpr-fpr > best {
			best, d.Cut, d.Sensitivity, d.Specificity = tpr-fpr, v, tpr, 1-fpr
		}
		// A figure needs no more than a point every half percent.
		if last := len(d.TruePositive) - 1; tpr-d.TruePositive[last]+fpr-d.FalsePositive[last] > 0.005 {
			d.FalsePositive, d.TruePositive = append(d.FalsePositive, fpr), append(d.TruePositive, tpr)
		}
	})
	d.FalsePositive, d.TruePositive = append(d.FalsePositive, 1), append(d.TruePositive, 1)
	d.CI95 = overPatients(seed, len(patients), func(times []float64) (float64, bool) {
		return area(func(p int) float64 { return times[p] })
	})
	d.CutCI95 = overPatients(seed, len(patients), func(times []float64) (float64, bool) {
		weight := func(p int) float64 { return times[p] }
		var tumour, benign, cut float64
		walk(weight, func(t, b, _ float64) { tumour, benign = t, b })
		best := math.Inf(-1)
		walk(weight, func(t, b, v float64) {
			if gain := t/tumour - b/benign; gain > best {
				best, cut = gain, v
			}
		})
		return cut, tumour > 0 && benign > 0
	})
	return d, true
}

// overPatients is the 95 % percentile interval of a statistic over patients drawn with replacement; times says how often
// each was drawn.
func overPatients(seed uint64, patients int, statistic func(times []float64) (float64, bool)) [2]float64 {
	rng := Stream(seed, "statistics/bootstrap")
	var values []float64
	times := make([]float64, patients)
	for range bootstrapSamples {
		clear(times)
		for range patients {
			times[rng.IntN(patients)]++
		}
		if v, ok := statistic(times); ok {
			values = append(values, v)
		}
	}
	if len(values) == 0 {
		return [2]float64{}
	}
	slices.Sort(values)
	return [2]float64{stat.Quantile(0.025, stat.LinInterp, values, nil), stat.Quantile(0.975, stat.LinInterp, values, nil)}
}
