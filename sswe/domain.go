package sswe

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"

	"elastography/data"
)

// Domain is what the training images look like to the network: the range of each bottleneck feature. An image of
// another organ, another probe or upside down drives many features out of it.
type Domain struct {
	Low  []float32 `json:"low"`
	High []float32 `json:"high"`
	// Limit is the share of features out of range that 95 % of training planes stay below when their own patient is left
	// out of the ranges.
	Limit float64 `json:"limit"`
}

// newDomain learns the ranges from the training planes and the limit by leaving out one patient after the other.
func newDomain(samples []*data.Sample, predictions []Prediction) Domain {
	rangeOf := func(without string) (low, high []float32) {
		channels := len(predictions[0].Features)
		low, high = slices.Repeat([]float32{float32(math.Inf(1))}, channels), slices.Repeat([]float32{float32(math.Inf(-1))}, channels)
		for k, p := range predictions {
			if samples[k].Patient == without {
				continue
			}
			for c, v := range p.Features {
				low[c], high[c] = min(low[c], v), max(high[c], v)
			}
		}
		return low, high
	}
	var d Domain
	var shares []float64
	for k, p := range predictions {
		if k == 0 || samples[k].Patient != samples[k-1].Patient {
			d.Low, d.High = rangeOf(samples[k].Patient)
		}
		shares = append(shares, d.Outside(p))
	}
	slices.Sort(shares)
	d.Limit = stat.Quantile(0.95, stat.LinInterp, shares, nil)
	d.Low, d.High = rangeOf("")
	return d
}

// Outside is the share of a prediction's features that lie out of the range of the training planes, 0 to 1.
func (d Domain) Outside(p Prediction) float64 {
	n := 0
	for c, v := range p.Features {
		if v < d.Low[c] || v > d.High[c] {
			n++
		}
	}
	return float64(n) / float64(len(p.Features))
}

// Verdict tells whether a prediction's image is outside the training domain, and why.
func (d Domain) Verdict(p Prediction, o Origin, organ string) (outside bool, why string) {
	if organ != "" && organ != "unknown" && organ != o.Organ {
		return true, fmt.Sprintf("the image shows %s, the model was trained on %s", organ, o.Organ)
	}
	if share := d.Outside(p); share > d.Limit {
		return true, fmt.Sprintf("%.1f %% of the network's features are out of the range of the training images, which is usual up to %.1f %%", 100*share, 100*d.Limit)
	}
	return false, ""
}
