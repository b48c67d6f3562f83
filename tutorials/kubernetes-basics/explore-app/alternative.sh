# The same by other ways: other output formats, other subresources' spellings, no proxy of one's own.
kubectl get po -o name
kubectl get pods -o yaml
kubectl get node minikube -o yaml
kubectl logs deployment/kubernetes-bootcamp
kubectl exec deploy/kubernetes-bootcamp -- sh -c 'env | sort; cat /server.js; curl -s http://127.0.0.1:8080/'
pod=$(kubectl get pods -l app=kubernetes-bootcamp -o jsonpath='{.items[0].metadata.name}')
kubectl get --raw "/api/v1/namespaces/default/pods/$pod:8080/proxy/"
kubectl logs -l app=kubernetes-bootcamp --tail=5
