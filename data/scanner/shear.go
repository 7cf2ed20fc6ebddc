package scanner

import (
	"context"
	"math"
)

// The shear wave is simulated on its own isotropic grid. A step of 0.35 mm holds
// eight samples in the wavelength of 1 kHz in 25 kPa tissue.
const (
	shearStepMM = 0.35
	// compressionalMS is the compressional speed: reduced from 1540 m/s by a lower
	// bulk modulus so that the time step can be 50 times longer; shear waves, ten
	// times slower still, do not notice (facts, section 3).
	compressionalMS = 30.0
	// frameMs is the interval between tracking frames (10 kHz).
	frameMs = 0.1
	// Time steps per frame: the Courant number is 0.81 of the stability limit in
	// elastic media. Viscous ones need it below 1/sqrt(2), because the shortest
	// wave may then be damped fully in one step.
	elasticSteps, viscousSteps = 15, 18

	densityKgM3 = 1000.0
	spongeCells = 14
)

// shearGrid is a plane-strain elastic half of the medium around the box: moduli on
// a staggered grid (Virieux 1986) with an absorbing sponge around it.
type shearGrid struct {
	height, width int // cells, sponge included
	stepsPerFrame int
	bulk          float32 // rho cp^2 (dt/dx)^2/rho
	// shear holds twice mu at the normal-stress nodes and shearXZ mu at the
	// shear-stress nodes (harmonic mean of four), both times (dt/dx)^2/rho.
	shear, shearXZ []float32
	// viscosity is the diffusion number of particle velocity for one of the
	// viscousTimes applications in every step; nil when elastic.
	viscosity    []float32
	viscousTimes int
}

// newShearGrid takes mu in kPa and viscosity in Pa s (may be nil) per cell.
func newShearGrid(height, width int, muKPa, viscosityPaS []float32) *shearGrid {
	g := &shearGrid{height: height, width: width, stepsPerFrame: elasticSteps,
		shear: make([]float32, height*width), shearXZ: make([]float32, height*width)}
	var most float32
	for _, v := range viscosityPaS {
		most = max(most, v)
	}
	if most > 0 {
		g.stepsPerFrame = viscousSteps
	}
	courant := frameMs / float64(g.stepsPerFrame) / shearStepMM // s/m
	g.bulk = float32(compressionalMS * compressionalMS * courant * courant)
	scale := float32(1e3 * courant * courant / densityKgM3)
	for i := range height {
		for j := range width {
			p := i*width + j
			g.shear[p] = 2 * scale * muKPa[p]
			down, right := min(i+1, height-1)*width, min(j+1, width-1)
			g.shearXZ[p] = 4 * scale / (1/muKPa[p] + 1/muKPa[down+j] + 1/muKPa[i*width+right] + 1/muKPa[down+right])
		}
	}
	if most > 0 {
		const limit = 0.12 // above 1/8 the shortest wave would change sign
		perStep := frameMs * 1e-3 / viscousSteps / (densityKgM3 * shearStepMM * shearStepMM * 1e-6)
		g.viscousTimes = int(math.Ceil(perStep * float64(most) / limit))
		g.viscosity = make([]float32, len(viscosityPaS))
		for p, v := range viscosityPaS {
			g.viscosity[p] = float32(perStep * float64(v) / float64(g.viscousTimes))
		}
	}
	return g
}

// pushForce accelerates the tissue downwards: focus after focus, each for the dwell.
// foci hold the velocity gained per millisecond by each cell.
type pushForce struct {
	dwellMs float64
	foci    [][]float32
}

// window is the part of the grid that is recorded, half-open.
type window struct{ top, left, bottom, right int }

// propagate runs the push and records the axial particle velocity within the window
// at every frame: [frame][row][column].
func (g *shearGrid) propagate(ctx context.Context, push pushForce, frames int, w window) ([]float32, error) {
	n := g.height * g.width
	vx, vz := make([]float32, n), make([]float32, n)
	txx, tzz, txz := make([]float32, n), make([]float32, n), make([]float32, n)
	height, width := w.bottom-w.top, w.right-w.left
	movie := make([]float32, frames*height*width)
	damp := spongeProfile()
	scratch := make([]float32, n)
	stepMs := frameMs / float64(g.stepsPerFrame)
	for step := range frames * g.stepsPerFrame {
		if step%256 == 0 {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
		}
		if focus := int(float64(step) * stepMs / push.dwellMs); focus < len(push.foci) {
			for p, f := range push.foci[focus] {
				vz[p] += f * float32(stepMs)
			}
		}
		g.step(vx, vz, txx, tzz, txz)
		if g.viscosity != nil {
			for range g.viscousTimes {
				g.diffuse(vx, scratch)
				g.diffuse(vz, scratch)
			}
		}
		g.absorb(vx, damp)
		g.absorb(vz, damp)
		if step%g.stepsPerFrame == g.stepsPerFrame-1 {
			frame := movie[step/g.stepsPerFrame*height*width:]
			for i := range height {
				copy(frame[i*width:(i+1)*width], vz[(w.top+i)*g.width+w.left:])
			}
		}
	}
	return movie, nil
}

// step advances velocity and stress (already scaled by dt/(rho dx)) by one time
// step. vx sits half a cell to the right, vz half a cell below, txz both. Stress of
// a row follows its velocity one row behind, while both are still in the cache.
func (g *shearGrid) step(vx, vz, txx, tzz, txz []float32) {
	w := g.width
	for i := 1; i < g.height; i++ {
		if i < g.height-1 {
			updateVelocity(row(vx, i, w), row(vz, i, w), row(txx, i, w), row(tzz, i, w), row(tzz, i+1, w), row(txz, i, w), row(txz, i-1, w))
		}
		if k := i - 1; k > 0 {
			updateStress(row(txx, k, w), row(tzz, k, w), row(txz, k, w), row(vx, k, w), row(vx, k+1, w), row(vz, k, w), row(vz, k-1, w),
				row(g.shear, k, w), row(g.shearXZ, k, w), g.bulk)
		}
	}
}

func row(values []float32, i, width int) []float32 {
	return values[i*width : (i+1)*width : (i+1)*width]
}

func updateVelocity(vx, vz, txx, tzz, tzzBelow, txz, txzAbove []float32) {
	n := len(vx)
	vz, txx, tzz, tzzBelow, txz, txzAbove = vz[:n], txx[:n], tzz[:n], tzzBelow[:n], txz[:n], txzAbove[:n]
	normal, left := txx[1], txz[0]
	for j := 1; j < n-1; j++ {
		right, shear := txx[j+1], txz[j]
		vx[j] += (right - normal) + (shear - txzAbove[j])
		vz[j] += (tzzBelow[j] - tzz[j]) + (shear - left)
		normal, left = right, shear
	}
}

func updateStress(txx, tzz, txz, vx, vxBelow, vz, vzAbove, shear, shearXZ []float32, bulk float32) {
	n := len(vx)
	txx, tzz, txz, vxBelow, vz, vzAbove = txx[:n], tzz[:n], txz[:n], vxBelow[:n], vz[:n], vzAbove[:n]
	shear, shearXZ = shear[:n], shearXZ[:n]
	left, here := vx[0], vz[1]
	for j := 1; j < n-1; j++ {
		x, z, right := vx[j], here, vz[j+1]
		ex, ez := x-left, z-vzAbove[j]
		pressure := bulk * (ex + ez)
		txx[j] += pressure - shear[j]*ez
		tzz[j] += pressure - shear[j]*ex
		txz[j] += shearXZ[j] * ((vxBelow[j] - x) + (right - z))
		left, here = x, right
	}
}

// diffuse applies viscosity as diffusion of particle velocity, which is what
// Kelvin-Voigt shear viscosity is in nearly incompressible tissue.
func (g *shearGrid) diffuse(v, scratch []float32) {
	w := g.width
	copy(scratch, v)
	for i := 1; i < g.height-1; i++ {
		out, here := row(v, i, w), row(scratch, i, w)
		above, below, k := row(scratch, i-1, w)[:len(out)], row(scratch, i+1, w)[:len(out)], row(g.viscosity, i, w)[:len(out)]
		for j := 1; j < len(out)-1; j++ {
			out[j] += k[j] * ((above[j] + below[j]) + (here[j-1] + here[j+1]) - 4*here[j])
		}
	}
}

// spongeProfile is the factor per step on velocity, from the rim inwards.
func spongeProfile() []float32 {
	damp := make([]float32, spongeCells)
	for i := range damp {
		u := float32(spongeCells-i) / spongeCells
		damp[i] = 1 - 0.06*u*u
	}
	return damp
}

func (g *shearGrid) absorb(v []float32, damp []float32) {
	for i := range g.height {
		r := row(v, i, g.width)
		if edge := min(i, g.height-1-i); edge < len(damp) {
			d := damp[edge]
			for j := range r {
				r[j] *= d
			}
		}
		for k, d := range damp {
			r[k] *= d
			r[len(r)-1-k] *= d
		}
	}
}
