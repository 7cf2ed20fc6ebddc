package scanner
import ("context";"fmt";"testing")
func TestProbeEdge(t *testing.T){
  m:=homogS(25); s:=EndFire(); 
  for i:=range m.EKPa {_,x:=m.point(i/m.Width,i%m.Width); m.EKPa[i]=float32(22+0.3*x)}
  ex:=s.PlainExam(1); box:=Box{30,80,200,304}
  e:=s.newElastography(m,ex,box)
  for k:=0;k<4;k++ {
  sm,_:=e.push(context.Background(),k,"x")
  fmt.Println("push",k,"col",e.pushColumn(k)-spongeCells,"w",e.width)
  for _,i:=range []int{10,40,70}{ for j:=4;j<28;j+=1 {c:=float64(sm.speed[i*e.width+j]); if c==0 {fmt.Print("     .");continue}; fmt.Printf(" %5.1f",apparentKPa(c))}; fmt.Println()
   for j:=4;j<28;j+=1 { fmt.Printf(" %5.2f",sm.quality[i*e.width+j])}; fmt.Println()}
  }
}
