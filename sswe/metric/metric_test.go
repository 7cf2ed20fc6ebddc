package metric

import (
	_ "embed"
	"encoding/json"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// golden holds inputs and what scikit-image, SciPy, statsmodels, scikit-learn and the papers' formulas say of them.
//
//go:embed testdata/golden.json
var golden []byte

// within is the agreement asked of every value.
const within = 1e-6

type values map[string]any

func section(t *testing.T, name string) values {
	t.Helper()
	var all map[string]values
	if err := json.Unmarshal(golden, &all); err != nil {
		t.Fatal(err)
	}
	if all[name] == nil {
		t.Fatalf("golden.json has no %q; run testdata/golden.py", name)
	}
	return all[name]
}

func (v values) number(name string) float64 { return v[name].(float64) }

func (v values) numbers(name string) []float64 {
	list := v[name].([]any)
	out := make([]float64, len(list))
	for i, x := range list {
		out[i] = x.(float64)
	}
	return out
}

func (v values) bools(name string) []bool {
	list := v[name].([]any)
	out := make([]bool, len(list))
	for i, x := range list {
		out[i] = x.(bool)
	}
	return out
}

func (v values) ints(name string) []int {
	var out []int
	for _, x := range v.numbers(name) {
		out = append(out, int(x))
	}
	return out
}

func same(t *testing.T, what string, got, want float64) {
	t.Helper()
	if !(math.Abs(got-want) <= within*max(1, math.Abs(want))) {
		t.Errorf("%s is %.9g, the reference says %.9g", what, got, want)
	}
}

func sameAll(t *testing.T, what string, got, want []float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, the reference has %d", what, len(got), len(want))
	}
	for i := range got {
		same(t, what, got[i], want[i])
	}
}

func TestAgreementEqualsSciPyAndScikitLearn(t *testing.T) {
	g := section(t, "agreement")
	x, y := g.numbers("x"), g.numbers("y")
	slope, intercept := MomentsOf(x, y).Line()
	for name, got := range map[string]float64{"mae": MAE(x, y), "rmse": RMSE(x, y), "bias": Bias(x, y), "pearson": Pearson(x, y),
		"spearman": Spearman(x, y), "concordance": Concordance(x, y), "slope": slope, "intercept": intercept} {
		same(t, name, got, g.number(name))
	}
}

func TestLimitsOfAgreementEqualStatsmodels(t *testing.T) {
	g := section(t, "bland_altman")
	l := BlandAltman(g.numbers("differences"))
	for name, got := range map[string]float64{"bias": l.Bias, "sd": l.SD, "lower": l.Lower, "upper": l.Upper} {
		same(t, name, got, g.number(name))
	}
	sameAll(t, "interval of the bias", l.BiasCI[:], g.numbers("bias_ci"))
	sameAll(t, "interval of the lower limit", l.LowerCI[:], g.numbers("lower_ci"))
	sameAll(t, "interval of the upper limit", l.UpperCI[:], g.numbers("upper_ci"))
	c := BlandAltmanClustered(g.numbers("shifted"), g.ints("cluster"))
	same(t, "clustered standard deviation", c.SD, g.number("sd_clustered"))
	same(t, "clustered lower limit", c.Lower, g.number("lower_clustered"))
}

func TestImageSimilarityEqualsScikitImage(t *testing.T) {
	g := section(t, "image")
	a, b, mask := g.numbers("a"), g.numbers("b"), g.bools("mask")
	h, w, r := int(g.number("height")), int(g.number("width")), g.number("range")
	same(t, "SSIM", SSIM(a, b, h, w, r, nil), g.number("ssim"))
	same(t, "masked SSIM", SSIM(a, b, h, w, r, mask), g.number("ssim_masked"))
	same(t, "PSNR", PSNR(a, b, r, nil), g.number("psnr"))
	same(t, "masked PSNR", PSNR(a, b, r, mask), g.number("psnr_masked"))
	sameAll(t, "blurred image", Blur(a, h, w, g.number("blur_sigma"), mask), g.numbers("blur"))
}

// A resampling that counts a patient twice has the rank correlation of his pixels written twice.
func TestRankCorrelationOfAResamplingIsThatOfItsValues(t *testing.T) {
	g := section(t, "agreement")
	x, y := g.numbers("x"), g.numbers("y")
	cluster, weights := make([]int, len(x)), []float64{2, 0, 1, 3}
	var ofX, ofY []float64
	for i := range x {
		cluster[i] = i % 4
		for range int(weights[i%4]) {
			ofX, ofY = append(ofX, x[i]), append(ofY, y[i])
		}
	}
	p := NewRankPairs(x, y, cluster, 4)
	same(t, "rank correlation", p.Spearman([]float64{1, 1, 1, 1}), g.number("spearman"))
	same(t, "rank correlation of a resampling", p.Spearman(weights), Spearman(ofX, ofY))
}

// What lies outside the mask has no say, whatever it is.
func TestPixelsOutsideTheMaskHaveNoSay(t *testing.T) {
	g := section(t, "image")
	a, b, mask := g.numbers("a"), g.numbers("b"), g.bools("mask")
	h, w, r := int(g.number("height")), int(g.number("width")), g.number("range")
	ssim, psnr, blur := SSIM(a, b, h, w, r, mask), PSNR(a, b, r, mask), Blur(a, h, w, 2, mask)
	for i := range a {
		if !mask[i] {
			a[i], b[i] = math.NaN(), 1e9
		}
	}
	same(t, "SSIM", SSIM(a, b, h, w, r, mask), ssim)
	same(t, "PSNR", PSNR(a, b, r, mask), psnr)
	sameAll(t, "blurred image", Blur(a, h, w, 2, mask), blur)
}

func TestLesionContrastEqualsNumPy(t *testing.T) {
	g := section(t, "region")
	l, b := g.numbers("lesion"), g.numbers("background")
	difference, ratio := Contrast(l, b)
	for name, got := range map[string]float64{"cnr": CNR(l, b), "gcnr": GCNR(l, b, 0, g.number("high"), int(g.number("bins"))),
		"difference": difference, "ratio": ratio, "dice": Dice(g.bools("first"), g.bools("second"))} {
		same(t, name, got, g.number(name))
	}
}

func TestROCEqualsScikitLearn(t *testing.T) {
	g := section(t, "roc")
	positive, first := g.bools("positive"), g.numbers("first")
	c, ok := ROC(first, positive)
	if !ok {
		t.Fatal("no curve")
	}
	same(t, "area", c.AUC, g.numbers("auc")[0])
	sameAll(t, "false positive rate", c.FalsePositive, g.numbers("fpr"))
	sameAll(t, "true positive rate", c.TruePositive, g.numbers("tpr"))
	k := CountsAt(first, positive, c.YoudenCut())
	same(t, "Youden's index", k.Sensitivity()+k.Specificity()-1, g.number("youden"))
	k = CountsAt(first, positive, g.number("cut"))
	same(t, "sensitivity", k.Sensitivity(), g.number("sensitivity"))
	same(t, "specificity", k.Specificity(), g.number("specificity"))
	ofSensitivity, ofSpecificity := Wilson(k.TruePositive, k.TruePositive+k.FalseNegative), Wilson(k.TrueNegative, k.TrueNegative+k.FalsePositive)
	sameAll(t, "Wilson interval of the sensitivity", ofSensitivity[:], g.numbers("wilson_sensitivity"))
	sameAll(t, "Wilson interval of the specificity", ofSpecificity[:], g.numbers("wilson_specificity"))
	auc, _ := NewPairs(first, positive, g.ints("patient"), 12).AUC(g.numbers("weights"))
	same(t, "area of a resampling of patients", auc, g.number("weighted_auc"))
}

func TestPairedTestsEqualDeLongAndObuchowski(t *testing.T) {
	g := section(t, "roc")
	positive, first, second := g.bools("positive"), g.numbers("first"), g.numbers("second")
	for name, cluster := range map[string][]int{"delong": nil, "clustered": g.ints("patient")} {
		c, ok := CompareAUC(first, second, positive, cluster)
		if !ok {
			t.Fatal("no comparison")
		}
		sameAll(t, name+" areas", c.AUC[:], g.numbers("auc"))
		sameAll(t, name+" variances", c.Variance[:], g.numbers(name+"_variance"))
		same(t, name+" covariance", c.Covariance, g.number(name+"_covariance"))
		same(t, name+" z", math.Abs(c.Z), math.Abs(g.number(name+"_z")))
		same(t, name+" p", c.P, g.number(name+"_p"))
	}
}

func TestCalibrationEqualsNumPy(t *testing.T) {
	g := section(t, "uncertainty")
	e, s := g.numbers("errors"), g.numbers("spreads")
	same(t, "coverage", Coverage(e, s, g.number("factor")), g.number("coverage"))
	same(t, "coverage factor", CoverageFactor(e, s, g.number("level")), g.number("coverage_factor"))
	curve, ok := Sparsify(e, s, int(g.number("steps")))
	if !ok {
		t.Fatal("no curve")
	}
	sameAll(t, "error by uncertainty", curve.ByUncertainty, g.numbers("by_uncertainty"))
	sameAll(t, "error by error", curve.ByError, g.numbers("by_error"))
	same(t, "AUSE", curve.AUSE, g.number("ause"))
}

// The area under the curve is the share of (positive, negative) pairs in the right order, ties counting half, however it
// is computed.
func TestEveryAreaIsTheMannWhitneyStatistic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		scores := rapid.SliceOfN(rapid.Float64Range(0, 5), 2, 30).Draw(t, "scores")
		positive, cluster := make([]bool, len(scores)), make([]int, len(scores))
		for i := range scores {
			scores[i] = math.Round(scores[i]) // many ties
			positive[i], cluster[i] = rapid.Bool().Draw(t, "positive"), rapid.IntRange(0, 3).Draw(t, "cluster")
		}
		c, ok := ROC(scores, positive)
		if !ok {
			return
		}
		var right, pairs float64
		for i := range scores {
			for j := range scores {
				if positive[i] && !positive[j] {
					pairs++
					switch {
					case scores[i] > scores[j]:
						right++
					case scores[i] == scores[j]:
						right += 0.5
					}
				}
			}
		}
		byPairs, _ := NewPairs(scores, positive, cluster, 4).AUC([]float64{1, 1, 1, 1})
		compared, _ := CompareAUC(scores, scores, positive, cluster)
		for _, auc := range []float64{c.AUC, byPairs, compared.AUC[0]} {
			if math.Abs(auc-right/pairs) > 1e-9 {
				t.Fatalf("area %v, pairs say %v", auc, right/pairs)
			}
		}
		if (compared.Z != 0 || math.Abs(compared.P-1) > 1e-9) && !math.IsNaN(compared.P) {
			t.Fatalf("a score against itself: z %v, p %v", compared.Z, compared.P)
		}
	})
}

func TestPerfectAndUselessUncertainty(t *testing.T) {
	errors := []float64{4, -3, 2, -1, 0.5, 6, 7, -8, 9, 10}
	perfect, _ := Sparsify(errors, []float64{4, 3, 2, 1, 0.5, 6, 7, 8, 9, 10}, 5)
	same(t, "AUSE of a perfect ranking", perfect.AUSE, 0)
	for k := 1; k < len(perfect.ByUncertainty); k++ {
		if perfect.ByUncertainty[k] > perfect.ByUncertainty[k-1] {
			t.Error("taking away the worst raises the error")
		}
	}
	reversed, _ := Sparsify(errors, []float64{-4, -3, -2, -1, -0.5, -6, -7, -8, -9, -10}, 5)
	if reversed.AUSE <= perfect.AUSE {
		t.Errorf("AUSE of the worst ranking is %v", reversed.AUSE)
	}
}

func TestWhatIsNotDefinedIsNaNAndNeverAPanic(t *testing.T) {
	two, one := []float64{1, 2}, []float64{1}
	constant := []float64{3, 3}
	_, ratio := Contrast(nil, two)
	slope, _ := MomentsOf(constant, two).Line()
	for name, v := range map[string]float64{
		"MAE of nothing": MAE(nil, nil), "RMSE of different lengths": RMSE(two, one), "correlation with a constant": Pearson(two, constant),
		"slope on a constant": slope, "concordance of nothing": Concordance(nil, nil), "rank correlation of different lengths": Spearman(two, one),
		"limits of one difference": BlandAltman(one).Lower, "clustered limits of one cluster": BlandAltmanClustered(two, []int{0, 0}).SD,
		"clustered limits without clusters": BlandAltmanClustered(two, nil).SD, "SSIM of another size": SSIM(two, two, 3, 3, 1, nil),
		"SSIM of an empty mask": SSIM(two, two, 1, 2, 1, make([]bool, 2)), "SSIM without range": SSIM(two, two, 1, 2, 0, nil),
		"PSNR of an empty mask": PSNR(two, two, 1, make([]bool, 2)), "CNR without background": CNR(two, nil), "ratio without lesion": ratio,
		"gCNR without lesion": GCNR(nil, two, 0, 1, 5), "Dice of nothing": Dice(make([]bool, 3), make([]bool, 3)),
		"sensitivity without positives": CountsAt(two, make([]bool, 2), 1).Sensitivity(), "Wilson of nothing": Wilson(0, 0)[0],
		"coverage of nothing": Coverage(nil, nil, 1), "coverage factor of different lengths": CoverageFactor(two, one, 0.9),
	} {
		if !math.IsNaN(v) {
			t.Errorf("%s is %v, expected NaN", name, v)
		}
	}
	if Blur(two, 3, 3, 1, nil) != nil || NewPairs(two, []bool{true, false}, []int{0, 7}, 2) != nil {
		t.Error("a blur of another size, or pairs of a cluster that is not there")
	}
	if c, _ := CompareAUC([]float64{1, 2, 3}, []float64{3, 1, 2}, []bool{true, false, false}, []int{0, 1, 2}); !math.IsNaN(c.P) {
		t.Errorf("one positive alone gives p %v", c.P)
	}
	if _, ok := CompareAUC(two, two, []bool{true, true}, nil); ok {
		t.Error("areas without negatives")
	}
	if _, ok := Sparsify(two, one, 2); ok {
		t.Error("a curve of different lengths")
	}
	if f := CoverageFactor(two, two, 0.99); !math.IsInf(f, 1) {
		t.Errorf("two errors promise 99 %% with factor %v", f)
	}
}

// How many times faster the area of a resampling comes from pairs of clusters than from sorting all its scores again.
func BenchmarkAreaOfAResampling(b *testing.B) {
	var all map[string]values
	if err := json.Unmarshal(golden, &all); err != nil {
		b.Fatal(err)
	}
	g := all["roc"]
	positive, first, patient, weights := g.bools("positive"), g.numbers("first"), g.ints("patient"), g.numbers("weights")
	p := NewPairs(first, positive, patient, 12)
	var byPairs, bySorting time.Duration
	for b.Loop() {
		began := time.Now()
		p.AUC(weights)
		byPairs += time.Since(began)
		began = time.Now()
		var scores []float64
		var classes []bool
		for i, c := range patient {
			for range int(weights[c]) {
				scores, classes = append(scores, first[i]), append(classes, positive[i])
			}
		}
		ROC(scores, classes)
		bySorting += time.Since(began)
	}
	b.ReportMetric(float64(bySorting)/float64(byPairs), "times_faster")
}
