package scanner

import (
	"context"
	"math"

	"golang.org/x/sync/errgroup"
)

// zonePSF is the complex point-spread function of a scatterer at one depth, in
// baseband about the centre frequency: the image that the scanner makes of it,
// sampled on the polar grid relative to the scatterer.
type zonePSF struct {
	depthMM float64
	taps    int // axial samples, odd; the scatterer is at taps/2
	half    int // lines on each side of the scatterer
	// re, im hold [line 0..half][tap]; the function is even in the line.
	re, im []float32
	// gain is the root-mean-square echo of unit-variance scatterers of constant
	// density, over that of unit electronic noise per element.
	gain float64
}

// psfReachMM is how far a point-spread function is computed to each side: beyond
// it the reference array is below -45 dB.
const psfReachMM, psfAxialMM = 3.6, 1.0

// psfZones lists the depths at which the point-spread function is computed: close
// together where the aperture grows, 2.5 mm apart beyond.
func psfZones(maxDepthMM float64) []float64 {
	depths := []float64{1, 2, 3, 4, 5.25, 6.5, 8}
	for last := depths[len(depths)-1]; last < maxDepthMM; last = depths[len(depths)-1] {
		depths = append(depths, last+min(2.5, 0.2*last))
	}
	return depths
}

// psfBank computes the point-spread functions of an array for all zones, from the
// sum over transmit elements, receive elements and frequencies, with the
// frequency-dependent attenuation of the mean tissue (which shifts the spectrum
// down and widens the beam with depth). The look selects a sub-band.
func psfBank(ctx context.Context, a *array, g polarGrid, attenDBCmMHz float64, look, looks int) ([]zonePSF, error) {
	depths := psfZones(g.depth(g.rows - 1))
	bank := make([]zonePSF, len(depths))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(workers())
	for i, d := range depths {
		group.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			bank[i] = a.psf(g, d, attenDBCmMHz, look, looks)
			return nil
		})
	}
	return bank, group.Wait()
}

// band lists the frequencies that carry energy and their spectral weights. The step
// keeps the pulse free of wrap-around over the axial window.
func (a *array) band(look, looks int) (mhz []float64, weight []float64) {
	const floor = 3e-3
	step := 0.8 * soundSpeedMMUs / 2 / (2 * psfAxialMM)
	peak := a.spectrum(a.frequencyMHz)
	width := a.s.BandwidthPercent / 100 * a.s.FrequencyMHz
	centre := a.frequencyMHz + (float64(look)-float64(looks-1)/2)*width/float64(looks)*0.8
	for f := step; f < 2*a.frequencyMHz; f += step {
		w := a.spectrum(f) / peak
		if looks > 1 {
			u := (f - centre) / (width / float64(looks) * 0.6)
			w *= math.Exp(-u * u)
		}
		if math.Abs(w) > floor {
			mhz, weight = append(mhz, f), append(weight, w)
		}
	}
	return mhz, weight
}

// psf computes one zone.
func (a *array) psf(g polarGrid, depthMM, attenDBCmMHz float64, look, looks int) zonePSF {
	taps := 2*int(math.Ceil(psfAxialMM/g.stepMM)) + 1
	r := a.s.RadiusMM + depthMM
	half := max(4, int(math.Ceil(psfReachMM/r/g.stepRad)))
	z := zonePSF{depthMM: depthMM, taps: taps, half: half,
		re: make([]float32, (half+1)*taps), im: make([]float32, (half+1)*taps)}
	mhz, weight := a.band(look, looks)
	elements := len(a.angles)

	steer := newPhasors(taps*elements, mhz)      // focusing, [tap][element]
	listen := newPhasors((half+1)*elements, mhz) // propagation back, [line][element]
	fire := newPhasors((half+1)*a.s.TransmitElements, mhz)
	var noise float64
	for e, angle := range a.angles {
		for t := range taps {
			d := depthMM + float64(t-taps/2)*g.stepMM
			back, _ := a.element(angle, a.s.RadiusMM+d, 0)
			w := a.receiveWeight(angle, d)
			steer.set(t*elements+e, -(d + back), w)
			if t == taps/2 {
				noise += w * w
			}
		}
		for j := range half + 1 {
			sin, cos := math.Sincos(float64(j) * g.stepRad)
			d, amp := a.element(angle, r*cos, r*sin)
			listen.set(j*elements+e, d, amp)
		}
	}
	focus := a.s.RadiusMM + a.s.TransmitFocusMM
	for e := range a.s.TransmitElements {
		angle := a.elementAngle(e, a.s.TransmitElements)
		delay, _ := a.element(angle, focus, 0)
		for j := range half + 1 {
			sin, cos := math.Sincos(float64(j) * g.stepRad)
			d, amp := a.element(angle, r*cos, r*sin)
			fire.set(j*a.s.TransmitElements+e, d-delay+a.s.TransmitFocusMM, amp)
		}
	}

	// Demodulation about the centre frequency, relative to the scatterer.
	mixRe, mixIm := make([]float32, taps), make([]float32, taps)
	for t := range taps {
		sin, cos := math.Sincos(-4 * math.Pi * a.frequencyMHz / soundSpeedMMUs * float64(t-taps/2) * g.stepMM)
		mixRe[t], mixIm[t] = float32(cos), float32(sin)
	}
	for k, f := range mhz {
		level := float32(weight[k] * math.Pow(10, -2*attenDBCmMHz*f*depthMM/10/20))
		for j := range half + 1 {
			var txRe, txIm float32
			for e := j * a.s.TransmitElements; e < (j+1)*a.s.TransmitElements; e++ {
				txRe += fire.re[e]
				txIm += fire.im[e]
			}
			txRe, txIm = txRe*level, txIm*level
			lr, li := listen.re[j*elements:(j+1)*elements], listen.im[j*elements:(j+1)*elements]
			outRe, outIm := z.re[j*taps:(j+1)*taps], z.im[j*taps:(j+1)*taps]
			for t := range taps {
				sr, si := steer.re[t*elements:][:len(lr)], steer.im[t*elements:][:len(lr)]
				var re, im float32
				for e, x := range lr {
					y := li[e]
					re += x*sr[e] - y*si[e]
					im += x*si[e] + y*sr[e]
				}
				re, im = re*txRe-im*txIm, re*txIm+im*txRe
				outRe[t] += re*mixRe[t] - im*mixIm[t]
				outIm[t] += re*mixIm[t] + im*mixRe[t]
			}
		}
		steer.advance()
		listen.advance()
		fire.advance()
	}
	z.taper()
	z.normalise(r, noise)
	return z
}

// taper fades the outer fifth of the window, so that cutting it leaves no step.
func (z *zonePSF) taper() {
	fade := func(u float64) float32 { // u is 0 at the centre, 1 at the edge
		if u < 0.8 {
			return 1
		}
		return float32(0.5 + 0.5*math.Cos(math.Pi*(u-0.8)/0.2))
	}
	for j := range z.half + 1 {
		lateral := fade(float64(j) / float64(z.half+1))
		for t := range z.taps {
			w := lateral * fade(math.Abs(float64(t-z.taps/2))/float64(z.taps/2+1))
			z.re[j*z.taps+t] *= w
			z.im[j*z.taps+t] *= w
		}
	}
}

// normalise scales to unit energy, so that unit-variance scatterers give a unit
// mean-square echo, and keeps the physical level in gain.
func (z *zonePSF) normalise(radiusMM, noise float64) {
	var energy float64
	for i, re := range z.re {
		e := float64(re)*float64(re) + float64(z.im[i])*float64(z.im[i])
		if i >= z.taps {
			e *= 2 // both sides
		}
		energy += e
	}
	scale := float32(1 / math.Sqrt(energy))
	for i := range z.re {
		z.re[i] *= scale
		z.im[i] *= scale
	}
	z.gain = math.Sqrt(energy * radiusMM / noise)
}

// phasors are exp(-i 2 pi f d / c) for many distances d, advanced over evenly
// spaced frequencies f by multiplication.
type phasors struct {
	re, im         []float32
	stepRe, stepIm []float32
	f0, df         float64
}

func newPhasors(n int, mhz []float64) *phasors {
	p := &phasors{re: make([]float32, n), im: make([]float32, n), stepRe: make([]float32, n), stepIm: make([]float32, n), f0: mhz[0]}
	if len(mhz) > 1 {
		p.df = mhz[1] - mhz[0]
	}
	return p
}

func (p *phasors) set(i int, distanceMM, amplitude float64) {
	k := -2 * math.Pi * distanceMM / soundSpeedMMUs
	sin, cos := math.Sincos(k * p.f0)
	p.re[i], p.im[i] = float32(amplitude*cos), float32(amplitude*sin)
	sin, cos = math.Sincos(k * p.df)
	p.stepRe[i], p.stepIm[i] = float32(cos), float32(sin)
}

func (p *phasors) advance() {
	for i, re := range p.re {
		im := p.im[i]
		p.re[i] = re*p.stepRe[i] - im*p.stepIm[i]
		p.im[i] = re*p.stepIm[i] + im*p.stepRe[i]
	}
}
