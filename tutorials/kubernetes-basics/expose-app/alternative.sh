# A Service from a manifest, labels by selector, and wget-free proofs by other names.
cat > service.yaml <<'YAML'
apiVersion: v1
kind: Service
metadata:
  name: kubernetes-bootcamp
  labels: {app: kubernetes-bootcamp}
spec:
  type: NodePort
  selector: {app: kubernetes-bootcamp}
  ports:
    - {port: 8080, targetPort: 8080, nodePort: 30123}
YAML
kubectl apply -f service.yaml
sleep 1
curl -s "$(minikube service kubernetes-bootcamp --url)"
kubectl label pods -l app=kubernetes-bootcamp version=v1
kubectl get po --selector version=v1 -o name
kubectl delete -f service.yaml
sleep 1
curl -s http://192.168.49.2:30123 || true
kubectl exec deploy/kubernetes-bootcamp -- sh -c 'curl -s localhost:8080'
