package scanner

import (
	"math"
	"math/rand/v2"
)

// clusterMM is the correlation length (1/e half-width) of the scattering power in
// clustered tissue: facts give clusters of 0.5 to 2 mm.
const clusterMM = 0.5

// scatteringPower returns the mean scattering power of every pixel of the medium,
// linear: the elevation-integrated backscatter times the gamma clusters that make
// glandular tissue's speckle coarser than Rayleigh's (K-distribution).
func scatteringPower(m *Medium, random *rand.Rand) []float32 {
	power := make([]float32, len(m.BackscatterDB))
	for i, db := range m.BackscatterDB {
		power[i] = float32(math.Exp(float64(db) * math.Ln10 / 10))
	}
	if m.ClusterShape == nil {
		return power
	}
	field := make([]float32, len(power))
	for i := range field {
		field[i] = float32(random.NormFloat64())
	}
	smooth(field, m.Height, m.Width, clusterMM/math.Sqrt2/m.MMPerPx)
	standardise(field)
	for i, shape := range m.ClusterShape {
		if shape > 0 && shape < 100 {
			power[i] *= gammaFactor(float64(shape), float64(field[i]))
		}
	}
	return power
}

// gammaFactor maps a standard normal value to a gamma value of mean one and the
// given shape (Wilson and Hilferty's cube-root approximation).
func gammaFactor(shape, normal float64) float32 {
	u := max(0, 1-1/(9*shape)+normal/(3*math.Sqrt(shape)))
	return float32(u * u * u)
}

// reflectivity returns the amplitude of the medium's coherent boundaries for beams
// from the array: a boundary answers as |normal . beam|^8 and so drops out where
// the beam grazes it. Nil where the medium has none.
func reflectivity(m *Medium, g polarGrid) []float32 {
	if m.ReflectorDB == nil {
		return nil
	}
	out := make([]float32, len(m.ReflectorDB))
	for i, db := range m.ReflectorDB {
		if db <= NoReflector {
			continue
		}
		z, x := m.point(i/m.Width, i%m.Width)
		length := math.Hypot(z+g.radiusMM, x)
		cos := (float64(m.NormalZ[i])*(z+g.radiusMM) + float64(m.NormalX[i])*x) / length
		cos *= cos
		cos *= cos
		out[i] = float32(math.Exp(float64(db)*math.Ln10/20) * cos * cos)
	}
	return out
}

// smooth blurs a map in place with a Gaussian of sigma pixels; edges are mirrored.
func smooth(values []float32, height, width int, sigma float64) {
	if sigma < 0.05 {
		return
	}
	radius := int(math.Ceil(3 * sigma))
	kernel := make([]float32, 2*radius+1)
	var sum float64
	for i := range kernel {
		u := float64(i-radius) / sigma
		kernel[i] = float32(math.Exp(-u * u / 2))
		sum += float64(kernel[i])
	}
	for i := range kernel {
		kernel[i] /= float32(sum)
	}
	padded := make([]float32, width+2*radius)
	for y := range height {
		row := values[y*width : (y+1)*width]
		for x := range padded {
			padded[x] = row[mirror(x-radius, width)]
		}
		for x := range row {
			var v float32
			for k, w := range kernel {
				v += w * padded[x+k]
			}
			row[x] = v
		}
	}
	source := append([]float32(nil), values...)
	for y := range height {
		row := values[y*width : (y+1)*width]
		clear(row)
		for k, w := range kernel {
			from := source[mirror(y+k-radius, height)*width:][:len(row)]
			for x, v := range from {
				row[x] += w * v
			}
		}
	}
}

// mirror folds an index into [0, n).
func mirror(i, n int) int {
	if n == 1 {
		return 0
	}
	i %= 2 * (n - 1)
	if i < 0 {
		i += 2 * (n - 1)
	}
	if i >= n {
		i = 2*(n-1) - i
	}
	return i
}

// standardise scales to zero mean and unit variance in place.
func standardise(values []float32) {
	var sum, square float64
	for _, v := range values {
		sum += float64(v)
		square += float64(v) * float64(v)
	}
	n := float64(len(values))
	mean := sum / n
	scale := 1 / math.Sqrt(max(square/n-mean*mean, 1e-30))
	for i, v := range values {
		values[i] = float32((float64(v) - mean) * scale)
	}
}
