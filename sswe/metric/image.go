package metric

import "math"

// The window and the constants of the structural similarity index, as its authors set them (Wang et al., IEEE Trans
// Image Process 13:600, 2004): a Gaussian of 1.5 pixels standard deviation, cut at 5 pixels.
const (
	ssimSigma  = 1.5
	ssimRadius = 5
	ssimK1     = 0.01
	ssimK2     = 0.03
)

// SSIM is the mean structural similarity of two images [height, width], row-major, for a fixed dynamic range in their
// unit. Without a mask it is scikit-image's structural_similarity(gaussian_weights=True, sigma=1.5,
// use_sample_covariance=False): pixels closer than 5 to the border are left out of the mean.
//
// With a mask, a window sees only valid pixels: its weights are divided by their sum over these, and the mean is over
// all valid pixels, those at the mask's edge included. So no pixel outside the mask has a say; where the mask is full
// both definitions have the same value at the same pixel, away from the border.
func SSIM(x, y []float64, height, width int, dynamicRange float64, mask []bool) float64 {
	n := height * width
	if len(x) != n || len(y) != n || mask != nil && len(mask) != n || !(dynamicRange > 0) {
		return undefined
	}
	weight, xx, yy, xy := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	wx, wy := make([]float64, n), make([]float64, n)
	for i := range n {
		if mask == nil || mask[i] {
			weight[i], wx[i], wy[i] = 1, x[i], y[i]
			xx[i], yy[i], xy[i] = x[i]*x[i], y[i]*y[i], x[i]*y[i]
		}
	}
	kernel := gaussian(ssimSigma, ssimRadius)
	for _, v := range []*[]float64{&weight, &wx, &wy, &xx, &yy, &xy} {
		*v = separable(*v, height, width, kernel)
	}
	c1, c2 := math.Pow(ssimK1*dynamicRange, 2), math.Pow(ssimK2*dynamicRange, 2)
	var sum float64
	counted := 0
	for i := range n {
		if mask != nil && !mask[i] || mask == nil && nearBorder(i, height, width, ssimRadius) {
			continue
		}
		mx, my := wx[i]/weight[i], wy[i]/weight[i]
		vx, vy, c := xx[i]/weight[i]-mx*mx, yy[i]/weight[i]-my*my, xy[i]/weight[i]-mx*my
		sum += (2*mx*my + c1) * (2*c + c2) / ((mx*mx + my*my + c1) * (vx + vy + c2))
		counted++
	}
	return sum / float64(counted) // NaN where no pixel counts
}

func nearBorder(i, height, width, margin int) bool {
	r, c := i/width, i%width
	return r < margin || c < margin || r >= height-margin || c >= width-margin
}

// PSNR is the peak signal-to-noise ratio of y against x for a fixed dynamic range in their unit, dB, over the pixels of
// the mask (all if nil); +Inf for equal images.
func PSNR(x, y []float64, dynamicRange float64, mask []bool) float64 {
	if len(x) != len(y) || mask != nil && len(mask) != len(x) || !(dynamicRange > 0) {
		return undefined
	}
	var squares, n float64
	for i := range x {
		if mask == nil || mask[i] {
			squares += (x[i] - y[i]) * (x[i] - y[i])
			n++
		}
	}
	return 10 * math.Log10(dynamicRange*dynamicRange/(squares/n))
}

// Blur is the image [height, width] smoothed by a Gaussian of the given standard deviation, in pixels, over the pixels
// of the mask alone; it is 0 outside the mask.
func Blur(x []float64, height, width int, sigma float64, mask []bool) []float64 {
	n := height * width
	if len(x) != n || len(mask) != n || !(sigma > 0) {
		return nil
	}
	weight, values := make([]float64, n), make([]float64, n)
	for i := range n {
		if mask[i] {
			weight[i], values[i] = 1, x[i]
		}
	}
	kernel := gaussian(sigma, int(4*sigma+0.5))
	weight, values = separable(weight, height, width, kernel), separable(values, height, width, kernel)
	for i := range n {
		if values[i] /= weight[i]; !mask[i] {
			values[i] = 0
		}
	}
	return values
}

// gaussian is a normalised kernel of 2 radius + 1 weights.
func gaussian(sigma float64, radius int) []float64 {
	kernel := make([]float64, 2*radius+1)
	var sum float64
	for k := range kernel {
		d := float64(k-radius) / sigma
		kernel[k] = math.Exp(-d * d / 2)
		sum += kernel[k]
	}
	for k := range kernel {
		kernel[k] /= sum
	}
	return kernel
}

// separable filters rows, then columns; outside the image is zero.
func separable(v []float64, height, width int, kernel []float64) []float64 {
	radius := len(kernel) / 2
	rows, out := make([]float64, len(v)), make([]float64, len(v))
	for r := range height {
		for c := range width {
			var sum float64
			for k := max(-radius, -c); k <= min(radius, width-1-c); k++ {
				sum += kernel[k+radius] * v[r*width+c+k]
			}
			rows[r*width+c] = sum
		}
	}
	for r := range height {
		for c := range width {
			var sum float64
			for k := max(-radius, -r); k <= min(radius, height-1-r); k++ {
				sum += kernel[k+radius] * rows[(r+k)*width+c]
			}
			out[r*width+c] = sum
		}
	}
	return out
}
