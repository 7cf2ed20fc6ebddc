package scanner

import (
	"context"
	"math"

	"gonum.org/v1/gonum/dsp/fourier"
)

// iqImage is complex baseband on the polar grid, row-major [row][line].
type iqImage []complex64

// convolve images a scatterer field through the bank: each scatterer becomes the
// point-spread function of its depth, interpolated between the two nearest zones
// (the cross-fade). Lateral convolution is a product in the angular spectrum, since
// the array looks the same from every line; axially the function changes with depth
// and the short kernel is applied directly. field has rows of g.lines.
func convolve(ctx context.Context, g polarGrid, bank []zonePSF, field iqImage) (iqImage, error) {
	half := 0
	for _, z := range bank {
		half = max(half, z.half)
	}
	n := fastLength(g.lines + half)
	kernels := angularSpectra(bank, n)
	cut := len(kernels[0].re) / bank[0].taps
	columns := 2*cut - 1 // angular frequencies -(cut-1) .. cut-1

	// spectra holds [column][row], so that each column is contiguous in depth.
	re, im := make([]float32, columns*g.rows), make([]float32, columns*g.rows)
	parallelRows(g.rows, func(lo, hi int) {
		fft := fourier.NewCmplxFFT(n)
		line, spectrum := make([]complex128, n), make([]complex128, n)
		for row := lo; row < hi; row++ {
			for i, v := range field[row*g.lines : (row+1)*g.lines] {
				line[i] = complex128(v)
			}
			fft.Coefficients(spectrum, line)
			for c := range columns {
				v := spectrum[(c-cut+1+n)%n]
				re[c*g.rows+row], im[c*g.rows+row] = float32(real(v)), float32(imag(v))
			}
		}
	})
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	parallelRows(columns, func(lo, hi int) {
		taps := bank[0].taps
		outRe, outIm := make([]float32, g.rows+taps-1), make([]float32, g.rows+taps-1)
		for c := lo; c < hi; c++ {
			f := c - cut + 1
			if f < 0 {
				f = -f
			}
			columnRe, columnIm := re[c*g.rows:(c+1)*g.rows], im[c*g.rows:(c+1)*g.rows]
			clear(outRe)
			clear(outIm)
			zone := 0
			for row := range g.rows {
				depth := g.depth(row)
				for zone < len(bank)-2 && depth > bank[zone+1].depthMM {
					zone++
				}
				w := float32(min(max((depth-bank[zone].depthMM)/(bank[zone+1].depthMM-bank[zone].depthMM), 0), 1))
				a, b := kernels[zone], kernels[zone+1]
				spread(outRe[row:row+taps], outIm[row:row+taps], columnRe[row], columnIm[row], w,
					a.re[f*taps:(f+1)*taps], a.im[f*taps:(f+1)*taps], b.re[f*taps:(f+1)*taps], b.im[f*taps:(f+1)*taps])
			}
			copy(columnRe, outRe[taps/2:])
			copy(columnIm, outIm[taps/2:])
		}
	})
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	out := make(iqImage, g.rows*g.lines)
	parallelRows(g.rows, func(lo, hi int) {
		fft := fourier.NewCmplxFFT(n)
		line, spectrum := make([]complex128, n), make([]complex128, n)
		for row := lo; row < hi; row++ {
			clear(spectrum)
			for c := range columns {
				spectrum[(c-cut+1+n)%n] = complex(float64(re[c*g.rows+row])/float64(n), float64(im[c*g.rows+row])/float64(n))
			}
			fft.Sequence(line, spectrum)
			for i := range g.lines {
				out[row*g.lines+i] = complex64(line[i])
			}
		}
	})
	return out, ctx.Err()
}

// spread adds one scatterer's axial response, a mix of two zones' kernels.
func spread(outRe, outIm []float32, re, im, w float32, aRe, aIm, bRe, bIm []float32) {
	n := len(outRe)
	outIm, aRe, aIm, bRe, bIm = outIm[:n], aRe[:n], aIm[:n], bRe[:n], bIm[:n]
	for t := range outRe {
		kr, ki := aRe[t]+w*(bRe[t]-aRe[t]), aIm[t]+w*(bIm[t]-aIm[t])
		outRe[t] += re*kr - im*ki
		outIm[t] += re*ki + im*kr
	}
}

// angularKernel holds one zone's spectrum over angle, [frequency 0..cut-1][tap];
// the function is even in angle, so negative frequencies mirror.
type angularKernel struct{ re, im []float32 }

// angularSpectra transforms the bank over angle and drops the frequencies that no
// zone answers to (below -70 dB of the energy): the aperture cannot see them.
func angularSpectra(bank []zonePSF, n int) []angularKernel {
	cosine := make([]float64, n)
	for i := range cosine {
		cosine[i] = math.Cos(2 * math.Pi * float64(i) / float64(n))
	}
	kernels := make([]angularKernel, len(bank))
	cuts := make([]int, len(bank))
	parallelRows(len(bank), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			kernels[i], cuts[i] = bank[i].angular(cosine)
		}
	})
	cut := 1
	for _, c := range cuts {
		cut = max(cut, c)
	}
	for i := range kernels {
		kernels[i].re, kernels[i].im = kernels[i].re[:cut*bank[i].taps], kernels[i].im[:cut*bank[i].taps]
	}
	return kernels
}

func (z zonePSF) angular(cosine []float64) (angularKernel, int) {
	n := len(cosine)
	k := angularKernel{make([]float32, (n/2+1)*z.taps), make([]float32, (n/2+1)*z.taps)}
	energy := make([]float64, n/2+1)
	var total float64
	for f := range energy {
		outRe, outIm := k.re[f*z.taps:(f+1)*z.taps], k.im[f*z.taps:(f+1)*z.taps]
		for j := range z.half + 1 {
			w := float32(cosine[f*j%n])
			if j > 0 {
				w *= 2
			}
			fromRe, fromIm := z.re[j*z.taps:][:len(outRe)], z.im[j*z.taps:][:len(outRe)]
			for t, v := range fromRe {
				outRe[t] += w * v
				outIm[t] += w * fromIm[t]
			}
		}
		for t, v := range outRe {
			energy[f] += float64(v)*float64(v) + float64(outIm[t])*float64(outIm[t])
		}
		total += energy[f]
	}
	cut := len(energy)
	for tail := 0.0; cut > 1; cut-- {
		if tail += energy[cut-1]; tail > 1e-7*total {
			break
		}
	}
	return k, cut
}

// fastLength is the smallest length of at least n whose only factors are 2, 3 and 5.
func fastLength(n int) int {
	for ; ; n++ {
		m := n
		for _, p := range []int{2, 3, 5} {
			for m%p == 0 {
				m /= p
			}
		}
		if m == 1 {
			return n
		}
	}
}
