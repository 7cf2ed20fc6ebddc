package scanner

import "math"

// apertureRays is the number of rays from the aperture to a point over which
// attenuation is averaged.
const apertureRays = 7

// attenuationStepMM is the radial step of the path integrals.
const attenuationStepMM = 0.5

// attenuation splits an examined medium's attenuation into the mean, in dB/cm/MHz,
// and the amplitude lost or gained on the way to each sample of the grid by what
// exceeds it.
func (a *array) attenuation(g polarGrid, m *Medium, ex Exam) (mean float64, path []float32) {
	mean = meanAttenuation(m) * ex.AttenuationScale
	excess := g.resample(m, m.AttenDBCmMHz, 1+ex.SoundSpeedError)
	for i, v := range excess {
		excess[i] = v*float32(ex.AttenuationScale) - float32(mean)
	}
	return mean, a.pathAmplitude(g, excess)
}

// meanAttenuation is the mean over soft tissue, which the point-spread function
// carries; stones and fluid are left to the path integral.
func meanAttenuation(m *Medium) float64 {
	var sum, n float64
	for _, v := range m.AttenDBCmMHz {
		if v > 0.1 && v < 2 {
			sum += float64(v)
			n++
		}
	}
	if n == 0 {
		return 0
	}
	return sum / n
}

// pathAmplitude returns, on the polar grid, the two-way amplitude lost to
// attenuation in excess of the mean (dB/cm/MHz, on the same grid) between the array
// and each sample. It is averaged in linear amplitude over the rays of the transmit
// and of the receive aperture, so a stone casts a shadow with a penumbra and not a
// razor edge; less attenuation than the mean gives enhancement.
func (a *array) pathAmplitude(g polarGrid, excess []float32) []float32 {
	radial := max(1, int(math.Round(attenuationStepMM/g.stepMM)))
	step := float64(radial) * g.stepMM
	lateral := max(1, int(math.Round(min(0.6*math.Pi/180, 0.3/g.radiusMM)/g.stepRad))) // 0.6 degrees of a curved face
	rows, lines := (g.rows+radial-1)/radial, (g.lines+lateral-1)/lateral
	loss := make([]float32, rows*lines) // one-way dB per mm
	flat := true
	for i := range rows {
		for j := range lines {
			var sum, n float32
			for y := i * radial; y < min((i+1)*radial, g.rows); y++ {
				for x := j * lateral; x < min((j+1)*lateral, g.lines); x++ {
					sum += excess[y*g.lines+x]
					n++
				}
			}
			loss[i*lines+j] = sum / n * float32(a.frequencyMHz) / 10
			flat = flat && math.Abs(float64(loss[i*lines+j])) < 1e-7
		}
	}
	amplitude := make([]float32, rows*lines)
	if flat {
		for i := range amplitude {
			amplitude[i] = 1
		}
	} else {
		parallelRows(rows, func(lo, hi int) {
			for i := lo; i < hi; i++ {
				depth := (float64(i) + 0.5) * step
				out := amplitude[i*lines : (i+1)*lines]
				tx := a.fan(loss, lines, i, step, float64(lateral)*g.stepRad, a.transmitRays())
				rx := a.fan(loss, lines, i, step, float64(lateral)*g.stepRad, a.receiveRays(depth))
				for j := range out {
					out[j] = tx[j] * rx[j]
				}
			}
		})
	}
	return upsample(amplitude, rows, lines, g.rows, g.lines, radial, lateral)
}

// ray is one direction from the aperture: the element's angle from the beam's axis
// and its share of the amplitude.
type ray struct{ rad, weight float64 }

func (a *array) transmitRays() []ray {
	half := a.elementAngle(a.s.TransmitElements-1, a.s.TransmitElements)
	rays := make([]ray, apertureRays)
	for k := range rays {
		rays[k] = ray{half * (2*(float64(k)+0.5)/apertureRays - 1), 1.0 / apertureRays}
	}
	return rays
}

func (a *array) receiveRays(depthMM float64) []ray {
	half := a.angles[len(a.angles)-1]
	half = math.Asin(min(math.Sin(half), a.receiveHalfMM(depthMM)/a.s.RadiusMM))
	rays := make([]ray, apertureRays)
	var sum float64
	for k := range rays {
		angle := half * (2*(float64(k)+0.5)/apertureRays - 1)
		rays[k] = ray{angle, a.receiveWeight(angle, depthMM)}
		sum += rays[k].weight
	}
	for k := range rays {
		rays[k].weight /= sum
	}
	return rays
}

// fan averages exp(-path loss) over straight rays from the aperture to every sample
// of row i.
func (a *array) fan(loss []float32, lines, i int, step, stepRad float64, rays []ray) []float32 {
	depth := (float64(i) + 0.5) * step
	mean := make([]float32, lines)
	path := make([]float32, lines)
	for _, ray := range rays {
		sin, cos := math.Sincos(ray.rad)
		z0, x0 := a.s.RadiusMM*cos, a.s.RadiusMM*sin
		z1 := a.s.RadiusMM + depth
		length := math.Hypot(z1-z0, x0)
		steps := i + 1
		clear(path)
		for m := range steps {
			t := (float64(m) + 0.5) / float64(steps)
			z, x := z0+t*(z1-z0), x0*(1-t)
			row := min(max(int((math.Hypot(z, x)-a.s.RadiusMM)/step), 0), i)
			if row == i {
				continue // an echo leaves from the near side of its own cell
			}
			shift := math.Atan2(x, z) / stepRad
			base := int(math.Floor(shift))
			frac := float32(shift - float64(base))
			from := loss[row*lines : (row+1)*lines]
			// Lines whose neighbours both exist need no clamping.
			lo, hi := min(max(0, -base), lines), max(min(lines, lines-1-base), 0)
			for j := range lo {
				path[j] += from[0]
			}
			if lo < hi {
				left := from[lo+base : hi+base]
				right := from[lo+base+1 : hi+base+1]
				inside := path[lo:hi]
				for j, v := range left {
					inside[j] += v + frac*(right[j]-v)
				}
			}
			for j := max(lo, hi); j < lines; j++ {
				path[j] += from[lines-1]
			}
		}
		toNeper := float32(-math.Ln10 / 20 * length / float64(steps))
		for j, p := range path {
			mean[j] += float32(ray.weight * math.Exp(float64(p*toNeper)))
		}
	}
	return mean
}

// upsample interpolates a coarse map, whose samples are the centres of blocks of
// radial x lateral fine samples, to the fine grid.
func upsample(coarse []float32, rows, lines, fineRows, fineLines, radial, lateral int) []float32 {
	out := make([]float32, fineRows*fineLines)
	at := func(fine, block, n int) (int, float32) {
		u := min(max((float64(fine)-float64(block-1)/2)/float64(block), 0), float64(n-1))
		i := min(int(u), max(n-2, 0))
		return i, float32(u - float64(i))
	}
	for y := range fineRows {
		i, fi := at(y, radial, rows)
		next := min(i+1, rows-1)
		for x := range fineLines {
			j, fj := at(x, lateral, lines)
			k := min(j+1, lines-1)
			top := coarse[i*lines+j] + fj*(coarse[i*lines+k]-coarse[i*lines+j])
			bottom := coarse[next*lines+j] + fj*(coarse[next*lines+k]-coarse[next*lines+j])
			out[y*fineLines+x] = top + fi*(bottom-top)
		}
	}
	return out
}
