package sswe

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"

	"elastography/data"
	"elastography/sswe/metric"
)

// errorKPa is prediction minus measurement at pixel i, kPa. At a saturated pixel the measurement is a lower bound, so
// only a prediction below it is wrong.
func errorKPa(s *data.Sample, predictionKPa []float32, i int) float64 {
	e := float64(predictionKPa[i] - s.TargetKPa[i])
	if s.Saturated[i] {
		return min(e, 0)
	}
	return e
}

// MeanAbsoluteError is the mean over planes of each plane's mean absolute error, kPa.
func MeanAbsoluteError(samples []*data.Sample, predictions []Prediction) float64 {
	var sum float64
	for k, s := range samples {
		sum += planeError(s, predictions[k].KPa).MAEKPa
	}
	return sum / float64(len(samples))
}

// PlaneError is how far a synthetic elastogram is from the measured one, over the pixels that carry stiffness.
type PlaneError struct {
	Patient string
	Plane   string
	Pixels  int
	MAEKPa  float64
	RMSEKPa float64
	BiasKPa float64 // mean of synthetic minus measured
	Pearson float64 // over unsaturated pixels; 0 where the plane has no spread

	MeasuredKPa, SyntheticKPa float64 // means over the plane, for Bland-Altman
}

// tally sums errors over pixels; tallies of disjoint pixels add up.
type tally struct {
	pixels, abs, squares, sum float64        // of errors, kPa; saturated pixels count as censored
	measured, synthetic       float64        // sums, kPa
	unsaturated               metric.Moments // x measured, y synthetic, kPa
}

func tallyOf(s *data.Sample, predictionKPa []float32) tally {
	var t tally
	for i, valid := range s.Mask {
		if !valid {
			continue
		}
		e, measured := errorKPa(s, predictionKPa, i), float64(s.TargetKPa[i])
		t.pixels++
		t.abs += math.Abs(e)
		t.squares += e * e
		t.sum += e
		t.measured += measured
		t.synthetic += measured + e
		if !s.Saturated[i] {
			t.unsaturated.Add(measured, float64(predictionKPa[i]))
		}
	}
	return t
}

// plus adds other, weight times.
func (t *tally) plus(other tally, weight float64) {
	t.pixels += weight * other.pixels
	t.abs += weight * other.abs
	t.squares += weight * other.squares
	t.sum += weight * other.sum
	t.measured += weight * other.measured
	t.synthetic += weight * other.synthetic
	t.unsaturated.Plus(other.unsaturated, weight)
}

func (t tally) mae() float64  { return t.abs / t.pixels }
func (t tally) rmse() float64 { return math.Sqrt(t.squares / t.pixels) }
func (t tally) bias() float64 { return t.sum / t.pixels }

func planeError(s *data.Sample, predictionKPa []float32) PlaneError {
	t := tallyOf(s, predictionKPa)
	e := PlaneError{Patient: s.Patient, Plane: s.Plane, Pixels: int(t.pixels), MAEKPa: t.mae(), RMSEKPa: t.rmse(), BiasKPa: t.bias(),
		MeasuredKPa: t.measured / t.pixels, SyntheticKPa: t.synthetic / t.pixels}
	if r := t.unsaturated.Pearson(); !math.IsNaN(r) {
		e.Pearson = r
	}
	return e
}

// medianKPa is the median stiffness over all valid pixels, kPa. It counts first and sorts only the values around the middle,
// so that its memory does not grow with the cohort.
func medianKPa(samples []*data.Sample) float64 {
	const shift = 14 // 2^18 bins: the leading bits of a positive float32 order it
	counts, total := make([]int, 1<<(32-shift)), 0
	each := func(visit func(bin int, kPa float32)) {
		for _, s := range samples {
			for i, valid := range s.Mask {
				if valid {
					kPa := max(0, s.TargetKPa[i])
					visit(int(math.Float32bits(kPa)>>shift), kPa)
				}
			}
		}
	}
	each(func(bin int, _ float32) { counts[bin]++; total++ })
	if total == 0 {
		return 0
	}
	// stat.LinInterp takes the values of rank ceil(total/2), from 1, and the one before.
	rank := (total + 1) / 2
	from, below, to, upTo := -1, 0, 0, 0
	for bin, n := range counts {
		if from < 0 && upTo+n >= max(1, rank-1) {
			from, below = bin, upTo
		}
		if upTo += n; upTo >= rank {
			to = bin
			break
		}
	}
	var middle []float64
	each(func(bin int, kPa float32) {
		if from <= bin && bin <= to {
			middle = append(middle, float64(kPa))
		}
	})
	slices.Sort(middle)
	value := middle[rank-below-1]
	if total%2 == 1 && rank > 1 {
		value = (middle[rank-below-2] + value) / 2
	}
	return value
}

// median sorts v in place. An empty slice has median 0.
func median(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	slices.Sort(v)
	return stat.Quantile(0.5, stat.LinInterp, v, nil)
}

// checkSamples refuses what would poison a training or an evaluation, by name.
func checkSamples(samples []*data.Sample, g data.Grid) error {
	if len(samples) == 0 {
		return errors.New("there is no plane")
	}
	for _, s := range samples {
		if s.Grid != g {
			return fmt.Errorf("plane %s is on grid %+v, the configuration asks for %+v", s.ID(), s.Grid, g)
		}
		valid := 0
		for i := range s.Image {
			if v := float64(s.Image[i]); math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("plane %s: the B-mode image holds %v at pixel %d; repair or remove the plane", s.ID(), v, i)
			}
			if s.Mask[i] {
				valid++
				if v := float64(s.TargetKPa[i]); math.IsNaN(v) || math.IsInf(v, 0) {
					return fmt.Errorf("plane %s: the stiffness is %v at pixel %d although the mask is set; repair or remove the plane", s.ID(), v, i)
				}
			}
		}
		if valid == 0 {
			return fmt.Errorf("plane %s: no pixel carries stiffness (the mask is empty); remove the plane", s.ID())
		}
	}
	return nil
}
