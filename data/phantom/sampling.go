package phantom

// workGrid is the coarser lattice on which smooth quantities are worked out: every second pixel of a
// fine grid, every pixel of a coarse one. It reaches at least to the last row and column.
type workGrid struct {
	step   int
	zs, xs []float64 // mm
}

// halfResolutionBelowMM is the pixel size under which every second pixel is enough: the finest
// tissue scale is 1.6 mm.
const halfResolutionBelowMM = 0.3

func newWorkGrid(g Grid) workGrid {
	l := workGrid{step: 1}
	if g.MMPerPx < halfResolutionBelowMM {
		l.step = 2
	}
	for i := 0; ; i += l.step {
		l.zs = append(l.zs, g.DepthMM(i))
		if i >= g.Height-1 {
			break
		}
	}
	for j := 0; ; j += l.step {
		l.xs = append(l.xs, g.LateralMM(j))
		if j >= g.Width-1 {
			break
		}
	}
	return l
}

func (l workGrid) size() int { return len(l.zs) * len(l.xs) }

// upsample interpolates src from the lattice to the grid, bilinearly.
func (l workGrid) upsample(g Grid, src []float32) []float32 {
	if l.step == 1 {
		return src
	}
	n := len(l.xs)
	dst := make([]float32, g.Height*g.Width)
	line := make([]float32, n)
	for i := range g.Height {
		a := src[(i/2)*n : (i/2+1)*n]
		if i%2 == 0 {
			copy(line, a)
		} else {
			b := src[(i/2+1)*n : (i/2+2)*n]
			for j := range line {
				line[j] = 0.5 * (a[j] + b[j])
			}
		}
		out := dst[i*g.Width : (i+1)*g.Width]
		for j := range out {
			if j%2 == 0 {
				out[j] = line[j/2]
			} else {
				out[j] = 0.5 * (line[j/2] + line[j/2+1])
			}
		}
	}
	return dst
}
