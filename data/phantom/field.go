package phantom

import "math"

// octave is one scale of a field: the lattice spacing and its share of the standard deviation.
type octave struct{ scaleMM, weight float64 }

// field is a smooth random function of space with unit variance (when the squared weights sum to
// one): white noise on a lattice, interpolated by cubic B-splines. The lattice values are a hash of
// the position, so the field has no extent, no state and no cost until it is looked at.
type field struct {
	key     uint64
	octaves []octave
}

// lattice is the white noise at a node: four 16-bit uniforms of one hash, summed and standardised.
func lattice(key uint64, ix, iy, iz int) float64 {
	h := key ^ uint64(int64(ix))*0x9e3779b97f4a7c15 ^ uint64(int64(iy))*0xc2b2ae3d27d4eb4f ^ uint64(int64(iz))*0x165667b19e3779f9
	h ^= h >> 30
	h *= 0xbf58476d1ce4e5b9
	h ^= h >> 27
	h *= 0x94d049bb133111eb
	h ^= h >> 31
	sum := (h & 0xffff) + (h >> 16 & 0xffff) + (h >> 32 & 0xffff) + (h >> 48)
	return (float64(sum)/65535 - 2) * 1.7320508075688772
}

// spline gives the first node and the four weights of a cubic B-spline at u, scaled so that the
// squares of the weights sum to one: that keeps the variance the same at every position.
func spline(u float64) (int, [4]float64) {
	i := math.Floor(u)
	f := u - i
	g := 1 - f
	w := [4]float64{g * g * g, 4 - 6*f*f + 3*f*f*f, 4 - 6*g*g + 3*g*g*g, f * f * f}
	n := 1 / math.Sqrt(w[0]*w[0]+w[1]*w[1]+w[2]*w[2]+w[3]*w[3])
	for k := range w {
		w[k] *= n
	}
	return int(i) - 1, w
}

// slice writes the field in the plane at elevation y to dst, [len(zs)*len(xs)]. The coordinates
// must be ascending. The spline is separable, so a pixel costs four products an octave.
func (f field) slice(dst []float32, y float64, zs, xs []float64) {
	clear(dst)
	nx := len(xs)
	for o, oct := range f.octaves {
		key := f.key + uint64(o)*0xd1342543de82ef95
		iy, wy := spline(y / oct.scaleMM)
		x0, _ := spline(xs[0] / oct.scaleMM)
		x1, _ := spline(xs[nx-1] / oct.scaleMM)
		cols := x1 + 4 - x0
		starts := make([]int, nx)
		weights := make([][4]float64, nx)
		for j, x := range xs {
			i, w := spline(x / oct.scaleMM)
			starts[j], weights[j] = i-x0, w
		}
		// Lattice rows, already summed over y; four of them are alive at a time.
		rows := map[int][]float64{}
		row := func(iz int) []float64 {
			if r, ok := rows[iz]; ok {
				return r
			}
			r := make([]float64, cols)
			for c := range r {
				for k := range 4 {
					r[c] += wy[k] * lattice(key, x0+c, iy+k, iz)
				}
			}
			rows[iz] = r
			delete(rows, iz-4)
			return r
		}
		line := make([]float64, cols)
		for i, z := range zs {
			iz, wz := spline(z / oct.scaleMM)
			r0, r1, r2, r3 := row(iz), row(iz+1), row(iz+2), row(iz+3)
			for c := range line {
				line[c] = oct.weight * (wz[0]*r0[c] + wz[1]*r1[c] + wz[2]*r2[c] + wz[3]*r3[c])
			}
			out := dst[i*nx : (i+1)*nx]
			for j := range out {
				l := line[starts[j] : starts[j]+4]
				w := &weights[j]
				out[j] += float32(w[0]*l[0] + w[1]*l[1] + w[2]*l[2] + w[3]*l[3])
			}
		}
	}
}
