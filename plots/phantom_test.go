package plots

import (
	"math"
	"math/rand/v2"
)

// plane is a drawn example of an imaging plane: a gland with a stiff focus, speckle over it, a map as a scanner shows it, and a prediction of that.
func plane(seed uint64, height, width int, withSigma bool) PanelRow {
	mmPerPx := 40 / float64(height)
	rng := rand.New(rand.NewPCG(seed, 1))
	n := height * width
	echo, swe, sswe, sigma := make([]uint8, n), make([]float32, n), make([]float32, n), make([]float32, n)
	labels := make([]uint8, n)
	fx, fy := 0.34+0.3*rng.Float64(), 0.62+0.06*rng.Float64()
	smooth := smoothNoise(rng, height, width, 5)
	mistake := smoothNoise(rng, height, width, 8)
	inPhase, quadrature := smoothNoise(rng, height, width, 1), smoothNoise(rng, height, width, 1)
	for i := range n {
		x, y := float64(i%width)/float64(width), float64(i/width)/float64(height)
		gland := math.Hypot((x-0.5)/0.42, (y-0.5)/0.36)
		focus := math.Hypot((x-fx)/0.11, (y-fy)/0.08)
		transition := math.Hypot((x-0.5)/0.26, (y-0.42)/0.2) < 1
		mean, brightness := 12.0, 150.0
		switch {
		case focus < 1:
			labels[i], brightness = firstTumour, 78
		case gland >= 1:
			labels[i] = 0
		case transition:
			labels[i], mean, brightness = 2, 27, 105
		default:
			labels[i], mean, brightness = 1, 19, 128
		}
		stiff := mean + 48*math.Exp(-math.Pow(focus, 4)) + 3*smooth[i]
		rayleigh := math.Hypot(inPhase[i], quadrature[i]) / math.Sqrt2
		echo[i] = uint8(math.Min(255, math.Max(0, brightness+16*math.Log(rayleigh+0.02)*1.4-25*(y-0.5))))
		swe[i] = float32(math.Max(1, stiff+0.8*rng.NormFloat64()))
		sswe[i] = float32(math.Max(1, mean+34*math.Exp(-math.Pow(focus*0.9, 2))+3*smooth[i]+3*mistake[i]))
		sigma[i] = float32(1.5 + 6*math.Exp(-math.Pow(focus-1, 2)*4) + math.Abs(mistake[i]))
		if y < 0.06 || x < 0.05 || x > 0.95 || y > 0.93 || math.Hypot((x-0.8)/0.07, (y-0.85)/0.09) < 1 {
			swe[i] = float32(math.NaN())
		}
	}
	row := PanelRow{
		BMode:  Gray{height, width, mmPerPx, echo},
		SWE:    Map{height, width, mmPerPx, swe},
		SSWE:   Map{height, width, mmPerPx, sswe},
		Labels: labels,
	}
	if withSigma {
		row.Sigma = &Map{height, width, mmPerPx, sigma}
	}
	return row
}

// smoothNoise is noise of unit size with structures of about radius pixels.
func smoothNoise(rng *rand.Rand, height, width, radius int) []float64 {
	field := make([]float64, height*width)
	for i := range field {
		field[i] = rng.NormFloat64()
	}
	for range 3 {
		field = boxBlur(field, height, width, radius)
	}
	var sum float64
	for _, v := range field {
		sum += v * v
	}
	rms := math.Sqrt(sum / float64(len(field)))
	for i := range field {
		field[i] /= rms
	}
	return field
}

func boxBlur(field []float64, height, width, radius int) []float64 {
	out := make([]float64, len(field))
	for i := range field {
		row, col := i/width, i%width
		n := 0.0
		for r := max(0, row-radius); r <= min(height-1, row+radius); r++ {
			for c := max(0, col-radius); c <= min(width-1, col+radius); c++ {
				out[i] += field[r*width+c]
				n++
			}
		}
		out[i] /= n
	}
	return out
}
