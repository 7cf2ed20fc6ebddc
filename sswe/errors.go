package sswe

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"

	"elastography/data"
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

// meanAbsoluteError is the mean over planes of each plane's mean absolute error, kPa.
func meanAbsoluteError(samples []*data.Sample, predictions []Prediction) float64 {
	var sum float64
	for k, s := range samples {
		sum += planeError(s, predictions[k].KPa).MAEKPa
	}
	return sum / float64(len(samples))
}

// PlaneError is how far a synthetic elastogram is from the measured one, over the pixels that carry stiffness.
type PlaneError struct {
	Patient string  `json:"patient"`
	Plane   string  `json:"plane"`
	Pixels  int     `json:"pixels"`
	MAEKPa  float64 `json:"mae_kpa"`
	RMSEKPa float64 `json:"rmse_kpa"`
	BiasKPa float64 `json:"bias_kpa"` // mean of synthetic minus measured
	Pearson float64 `json:"pearson"`  // over unsaturated pixels; 0 where the plane has no spread

	MeasuredKPa, SyntheticKPa float64 // means over the plane, for Bland-Altman
}

func planeError(s *data.Sample, predictionKPa []float32) PlaneError {
	e := PlaneError{Patient: s.Patient, Plane: s.Plane}
	var measured, synthetic []float64
	for i, valid := range s.Mask {
		if !valid {
			continue
		}
		d := errorKPa(s, predictionKPa, i)
		e.Pixels++
		e.MAEKPa += math.Abs(d)
		e.RMSEKPa += d * d
		e.BiasKPa += d
		e.MeasuredKPa += float64(s.TargetKPa[i])
		e.SyntheticKPa += float64(s.TargetKPa[i]) + d
		if !s.Saturated[i] {
			measured = append(measured, float64(s.TargetKPa[i]))
			synthetic = append(synthetic, float64(predictionKPa[i]))
		}
	}
	n := float64(e.Pixels)
	e.MAEKPa, e.BiasKPa, e.MeasuredKPa, e.SyntheticKPa = e.MAEKPa/n, e.BiasKPa/n, e.MeasuredKPa/n, e.SyntheticKPa/n
	e.RMSEKPa = math.Sqrt(e.RMSEKPa / n)
	if len(measured) > 1 {
		if r := stat.Correlation(measured, synthetic, nil); !math.IsNaN(r) {
			e.Pearson = r
		}
	}
	return e
}

// medianKPa is the median stiffness over all valid pixels, kPa.
func medianKPa(samples []*data.Sample) float64 {
	var all []float64
	for _, s := range samples {
		for i, valid := range s.Mask {
			if valid {
				all = append(all, float64(s.TargetKPa[i]))
			}
		}
	}
	return median(all)
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
