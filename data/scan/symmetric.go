package scan

import "math"

// symmetric is a positive definite matrix: the form x' m x.
type symmetric struct {
	n     int
	lower []float64 // [n, n]; above the diagonal unused
}

func newSymmetric(n int) symmetric { return symmetric{n, make([]float64, n*n)} }

// add adds v x_i x_j to the form.
func (m symmetric) add(i, j int, v float64) {
	if i != j {
		v /= 2
	}
	m.lower[max(i, j)*m.n+min(i, j)] += v
}

// decompose makes m its Cholesky factor; false if m is not positive definite.
func (m symmetric) decompose() bool {
	for i := range m.n {
		for j := range i + 1 {
			s := m.lower[i*m.n+j]
			for k := range j {
				s -= m.lower[i*m.n+k] * m.lower[j*m.n+k]
			}
			switch {
			case i != j:
				m.lower[i*m.n+j] = s / m.lower[j*m.n+j]
			case s <= 0:
				return false
			default:
				m.lower[i*m.n+i] = math.Sqrt(s)
			}
		}
	}
	return true
}

// whiten replaces b by l^-1 b, given the factor l.
func (m symmetric) whiten(b []float64) {
	for i := range m.n {
		for k := range i {
			b[i] -= m.lower[i*m.n+k] * b[k]
		}
		b[i] /= m.lower[i*m.n+i]
	}
}

// unwhiten replaces b by l'^-1 b, given the factor l.
func (m symmetric) unwhiten(b []float64) {
	for i := m.n - 1; i >= 0; i-- {
		for k := i + 1; k < m.n; k++ {
			b[i] -= m.lower[k*m.n+i] * b[k]
		}
		b[i] /= m.lower[i*m.n+i]
	}
}

// solve replaces b by m^-1 b and m by its factor.
func (m symmetric) solve(b []float64) bool {
	if !m.decompose() {
		return false
	}
	m.whiten(b)
	m.unwhiten(b)
	return true
}
