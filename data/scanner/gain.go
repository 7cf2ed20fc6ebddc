package scanner

import (
	"math"
	"math/rand/v2"
)

// levels are amplitudes by row after the nominal time-gain compensation: of unit
// speckle and of electronic noise. edge holds the loss at the sector's edges.
type levels struct {
	echo, noise []float32
	edge        []float32 // [row][line]
}

// levels compares the echo that the array receives from each depth with the noise.
// The compensation undoes diffraction and the nominal attenuation, so noise, added
// before it, grows with depth; tissue that attenuates more than nominal darkens.
func (s Scanner) levels(a *array, g polarGrid, bank []zonePSF, meanDBCmMHz float64, look int) levels {
	l := levels{echo: make([]float32, g.rows), noise: make([]float32, g.rows), edge: make([]float32, g.rows*g.lines)}
	floor := a.psf(g, s.PenetrationMM, s.NominalAttenDBCmMHz, look, s.CompoundLooks).gain
	zone := 0
	for row := range g.rows {
		depth := g.depth(row)
		for zone < len(bank)-2 && depth > bank[zone+1].depthMM {
			zone++
		}
		lo, hi := bank[zone], bank[zone+1]
		w := min(max((depth-lo.depthMM)/(hi.depthMM-lo.depthMM), 0), 1)
		received := math.Exp((1-w)*math.Log(lo.gain) + w*math.Log(hi.gain))
		darker := math.Pow(10, -2*(meanDBCmMHz-s.NominalAttenDBCmMHz)*a.frequencyMHz*depth/10/20)
		l.echo[row] = float32(darker)
		l.noise[row] = float32(min(1.5, floor*darker/received))
	}
	const block = 12 // rows over which the edge loss is constant
	for row := range g.rows {
		out := l.edge[row*g.lines : (row+1)*g.lines]
		if row%block != 0 {
			copy(out, l.edge[(row-1)*g.lines:row*g.lines])
			continue
		}
		for line := range g.lines/2 + 1 {
			v := float32(a.edgeGain(g.angle(line), g.depth(row)))
			out[line], out[g.lines-1-line] = v, v
		}
	}
	return l
}

// noiseKernel gives noise the axial bandwidth of the receiver; unit energy.
var noiseKernel = [5]float32{0.096, 0.478, 0.719, 0.478, 0.096}

// apply scales the echoes and adds electronic noise, independent from line to line.
func (l levels) apply(g polarGrid, iq iqImage, random *rand.Rand) {
	white := make([]complex64, g.rows+len(noiseKernel)-1)
	const half = math.Sqrt2 / 2
	for line := range g.lines {
		for i := range white {
			white[i] = complex(float32(random.NormFloat64()*half), float32(random.NormFloat64()*half))
		}
		for row := range g.rows {
			var re, im float32
			for k, w := range noiseKernel {
				re += w * real(white[row+k])
				im += w * imag(white[row+k])
			}
			i := row*g.lines + line
			e := l.echo[row] * l.edge[i]
			n := l.noise[row]
			iq[i] = complex(real(iq[i])*e+re*n, imag(iq[i])*e+im*n)
		}
	}
}

// sliderGain is the smooth error of the time-gain sliders, linear amplitude by row.
func sliderGain(g polarGrid, ex Exam) []float32 {
	gain := make([]float32, g.rows)
	n := len(ex.SliderDB)
	for row := range gain {
		u := min(g.depth(row)/ex.DepthMM, 1) * float64(n-1)
		i := min(int(u), n-2)
		t := u - float64(i)
		t = t * t * (3 - 2*t)
		db := ex.SliderDB[i] + t*(ex.SliderDB[i+1]-ex.SliderDB[i])
		gain[row] = float32(math.Pow(10, db/20))
	}
	return gain
}

// addNearField adds what the probe face itself returns: the ring-down of the
// elements and reverberations in couplant and condom, as thin coherent bands that
// follow the face and weaken by 8 dB a bounce (assumption), so that they are about
// 25 dB down where the rectal wall ends.
func addNearField(g polarGrid, iq iqImage, levelDB, couplantMM float64, random *rand.Rand) {
	const reachMM, decayDB = 8.0, 8.0
	ripple := make([]float32, g.lines)
	for i := range ripple {
		ripple[i] = float32(random.NormFloat64())
	}
	smooth(ripple, 1, g.lines, min(4*math.Pi/180, 0.8/g.radiusMM)/g.stepRad) // 4 degrees of a curved face
	standardise(ripple)
	phases := make([]float64, 6)
	for i := range phases {
		phases[i] = 2 * math.Pi * random.Float64()
	}
	for row := 0; row < g.rows && g.depth(row) < reachMM; row++ {
		depth := g.depth(row)
		var band complex128
		for bounce, phase := range phases {
			centre := float64(bounce) * couplantMM
			width := 0.22
			if bounce == 0 {
				width = 0.5
			}
			u := (depth - centre) / width
			level := math.Pow(10, (levelDB-decayDB*float64(bounce))/20) * math.Exp(-u*u/2)
			sin, cos := math.Sincos(phase)
			band += complex(level*cos, level*sin)
		}
		for line, v := range ripple {
			iq[row*g.lines+line] += complex64(band) * complex(1+0.25*v, 0)
		}
	}
}
