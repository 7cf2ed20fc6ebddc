package scanner

import (
	"math"

	"gonum.org/v1/gonum/dsp/fourier"
)

const (
	// highestHz is the top of the band that time of flight uses, faded in from
	// fadeHz: a sharp edge would ring and bias stiff tissue. A push half a
	// millimetre wide has little above.
	fadeHz, highestHz = 1400.0, 2400.0
	// slowestMS and fastestMS bound the speeds that are looked for.
	slowestMS, fastestMS = 0.8, 14.0
	// maxKernelMM is the longest kernel a scanner may have.
	maxKernelMM = 6.0
)

// waveSpectra are the temporal spectra of the particle velocity of waves that travel
// one way, on the recorded window: [row][column][bin].
type waveSpectra struct {
	height, width, bins int
	hz                  float64 // spacing of the bins; bin b is (b+1)*hz
	re, im              []float32
}

// at is the offset of a cell's spectrum.
func (w *waveSpectra) at(row, column int) int { return (row*w.width + column) * w.bins }

// directional splits a movie [frame][row][column] into the waves that travel to the
// right and to the left, by the sign of k in the k-omega plane of every row.
// Standing components (k = 0) are halved.
func directional(movie []float32, frames, height, width int, longestLagMs float64) (rightward, leftward *waveSpectra) {
	// Padding by the longest lag keeps the correlation from wrapping round.
	n := fastLength(frames + int(longestLagMs/frameMs))
	hz := 1e3 / frameMs / float64(n)
	bins := int(highestHz / hz)
	empty := func() *waveSpectra {
		return &waveSpectra{height: height, width: width, bins: bins, hz: hz,
			re: make([]float32, height*width*bins), im: make([]float32, height*width*bins)}
	}
	rightward, leftward = empty(), empty()
	temporal := fourier.NewFFT(n)
	trace, spectrum := make([]float64, n), make([]complex128, n/2+1)
	band := make([]complex128, bins)
	for b := range band {
		u := min(max((float64(b+1)*hz-fadeHz)/(highestHz-fadeHz), 0), 1)
		band[b] = complex(0.5+0.5*math.Cos(math.Pi*u), 0)
	}
	columns := fastLength(width + width/4)
	spatial := fourier.NewCmplxFFT(columns)
	rowSpectra := make([]complex128, bins*columns) // [bin][column]
	wave := make([]complex128, columns)
	for i := range height {
		clear(rowSpectra)
		for j := range width {
			for t := range frames {
				trace[t] = float64(movie[(t*height+i)*width+j])
			}
			temporal.Coefficients(spectrum, trace)
			for b := range bins {
				rowSpectra[b*columns+j] = spectrum[b+1] * band[b]
			}
		}
		for b := range bins {
			line := rowSpectra[b*columns : (b+1)*columns]
			spatial.Coefficients(wave, line)
			wave[0] /= 2
			// exp(i(wt - kx)), which travels to the right, has a negative wavenumber
			// under the transform's sign.
			for k := 1; k <= columns/2; k++ {
				wave[k] = 0
			}
			spatial.Sequence(wave, wave)
			for j := range width {
				v := wave[j] / complex(float64(columns), 0)
				p := rightward.at(i, j) + b
				rightward.re[p], rightward.im[p] = float32(real(v)), float32(imag(v))
				v = line[j] - v
				leftward.re[p], leftward.im[p] = float32(real(v)), float32(imag(v))
			}
		}
	}
	return rightward, leftward
}

// flight measures the delay between two points a known distance apart.
type flight struct {
	bins     int
	omega    float64 // rad/ms of the first bin
	lags     []float64
	cos, sin []float32 // [lag][bin]
	re, im   []float32 // cross-spectrum being measured
}

func newFlight(w *waveSpectra, distanceMM float64) *flight {
	f := &flight{bins: w.bins, omega: 2 * math.Pi * w.hz / 1e3, re: make([]float32, w.bins), im: make([]float32, w.bins)}
	for lag := distanceMM / fastestMS; lag < distanceMM/slowestMS; lag += frameMs {
		f.lags = append(f.lags, lag)
		for b := range f.bins {
			sin, cos := math.Sincos(f.omega * float64(b+1) * lag)
			f.cos, f.sin = append(f.cos, float32(cos)), append(f.sin, float32(sin))
		}
	}
	return f
}

// measure returns the lag in ms at which the wave at one cell, delayed, looks most
// like the wave at another (both are offsets of spectra), and the normalised
// correlation there; zeros where no lag of tissue fits.
func (f *flight) measure(w *waveSpectra, from, to int) (lagMs, quality float64) {
	var before, after float32
	aRe, aIm := w.re[from:][:f.bins], w.im[from:][:f.bins]
	bRe, bIm := w.re[to:][:f.bins], w.im[to:][:f.bins]
	for b, ar := range aRe {
		ai, br, bi := aIm[b], bRe[b], bIm[b]
		f.re[b] = ar*br + ai*bi
		f.im[b] = ar*bi - ai*br
		before += ar*ar + ai*ai
		after += br*br + bi*bi
	}
	if before == 0 || after == 0 {
		return 0, 0
	}
	best, peak := 0, float32(math.Inf(-1))
	for l := range f.lags {
		cos, sin := f.cos[l*f.bins:][:f.bins], f.sin[l*f.bins:][:f.bins]
		var sum float32
		for b, re := range f.re {
			sum += re*cos[b] - f.im[b]*sin[b]
		}
		if sum > peak {
			best, peak = l, sum
		}
	}
	if best == 0 || best == len(f.lags)-1 {
		return 0, 0 // faster or slower than any tissue
	}
	lag, top := f.refine(f.lags[best])
	return lag, top / math.Sqrt(float64(before)*float64(after))
}

// refine climbs from the best coarse lag to the top of the correlation by Newton's
// method and returns both.
func (f *flight) refine(start float64) (lagMs, value float64) {
	lag := start
	for range 4 {
		var first, second float64
		value = 0
		sin1, cos1 := math.Sincos(f.omega * lag)
		cos, sin := cos1, sin1
		for b := range f.bins {
			omega := f.omega * float64(b+1)
			re, im := float64(f.re[b]), float64(f.im[b])
			along, across := re*cos-im*sin, re*sin+im*cos
			value += along
			first -= omega * across
			second -= omega * omega * along
			cos, sin = cos*cos1-sin*sin1, sin*cos1+cos*sin1
		}
		if second >= 0 {
			break
		}
		lag -= min(max(first/second, -frameMs/2), frameMs/2)
	}
	return min(max(lag, start-frameMs), start+frameMs), value
}
