package sswe

import (
	"fmt"
	"math"
)

// Domain is what the training images look like to the network: mean and spread of each bottleneck feature, and how far
// held-out training patients lie from them. It says when an image is none the network has learned from.
type Domain struct {
	Mean   []float64 `json:"mean"`
	Spread []float64 `json:"spread"` // standard deviation
	// Limit is the largest distance among the validation patients' planes (the training planes where there are none).
	Limit float64 `json:"limit"`
}

// newDomain learns mean and spread from training planes and the limit from held-out ones.
func newDomain(training, heldOut []Prediction) Domain {
	channels := len(training[0].Features)
	d := Domain{Mean: make([]float64, channels), Spread: make([]float64, channels)}
	n := float64(len(training))
	for _, p := range training {
		for c, v := range p.Features {
			d.Mean[c] += float64(v) / n
		}
	}
	for _, p := range training {
		for c, v := range p.Features {
			d.Spread[c] += (float64(v) - d.Mean[c]) * (float64(v) - d.Mean[c]) / n
		}
	}
	for c := range d.Spread {
		d.Spread[c] = math.Sqrt(d.Spread[c])
	}
	if len(heldOut) == 0 {
		heldOut = training
	}
	for _, p := range heldOut {
		d.Limit = max(d.Limit, d.Distance(p))
	}
	return d
}

// Distance is the root mean square of the features' standard scores: about 1 for an image like the training images.
func (d Domain) Distance(p Prediction) float64 {
	var sum float64
	for c, v := range p.Features {
		z := (float64(v) - d.Mean[c]) / max(d.Spread[c], 1e-6)
		sum += z * z
	}
	return math.Sqrt(sum / float64(len(p.Features)))
}

// Verdict tells whether a prediction's image is outside the training domain, and why.
func (d Domain) Verdict(p Prediction, o Origin, organ string) (outside bool, why string) {
	if organ != "" && organ != o.Organ {
		return true, fmt.Sprintf("the image shows %s, the model was trained on %s", organ, o.Organ)
	}
	if distance := d.Distance(p); distance > d.Limit {
		return true, fmt.Sprintf("feature distance %.1f is above %.1f, the largest among held-out training patients", distance, d.Limit)
	}
	return false, ""
}
