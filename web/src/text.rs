//! Every word that the page itself says, in both languages. A text without a translation does not compile.

use serde::{Deserialize, Serialize};

/// The languages of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Japanese.
    Ja,
    /// English.
    En,
}

impl Language {
    /// As in `lang` attributes and in file names.
    pub fn code(self) -> &'static str {
        match self {
            Language::Ja => "ja",
            Language::En => "en",
        }
    }

    /// The language that a browser's language tag asks for.
    pub fn from_tag(tag: &str) -> Language {
        if tag.to_ascii_lowercase().starts_with("ja") { Language::Ja } else { Language::En }
    }
}

/// What the learner's machine speaks while the page speaks this.
impl From<Language> for cluster::Language {
    fn from(language: Language) -> Self {
        match language {
            Language::Ja => cluster::Language::Ja,
            Language::En => cluster::Language::En,
        }
    }
}

macro_rules! texts {
    ($($key:ident: $ja:literal, $en:literal;)*) => {
        /// A text of the page.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs, reason = "the texts themselves say what they are")]
        pub enum T { $($key),* }

        impl T {
            /// The text in a language.
            pub fn get(self, language: Language) -> &'static str {
                match (self, language) {
                    $((T::$key, Language::Ja) => $ja, (T::$key, Language::En) => $en,)*
                }
            }

            /// Every text, for tests.
            pub const ALL: &'static [T] = &[$(T::$key),*];
        }
    };
}

texts! {
    Tagline: "ブラウザの中で動く Kubernetes クラスター", "A Kubernetes cluster inside your browser";
    Lead: "サーバーもアカウントもいりません。コマンドは、このタブの中のクラスターで本当に動きます。", "No server, no account. Your commands really run, on a cluster inside this tab.";
    Courses: "コース", "Courses";
    Lesson: "レッスン", "Lesson";
    Map: "地図", "Map";
    Terminal: "端末", "Terminal";
    Start: "はじめる", "Start";
    Continue: "続ける", "Continue";
    Again: "もう一度", "Again";
    AboutMinutes: "およそ {n} 分", "about {n} min";
    StepOf: "手順 {n} / {m}", "Step {n} of {m}";
    Intro: "はじめに", "Introduction";
    Previous: "戻る", "Back";
    Next: "次へ", "Next";
    NextLesson: "次のレッスンへ", "Next lesson";
    AllLessons: "レッスン一覧へ", "All lessons";
    Run: "実行", "Run";
    RunIn: "端末 {n} で実行", "Run in terminal {n}";
    Copy: "コピー", "Copy";
    Copied: "コピーしました", "Copied";
    Checks: "達成 {n} / {m}", "{n} of {m} done";
    CheckReached: "達成", "done";
    CheckMissing: "まだ", "not yet";
    Tip: "ヒント", "Tip";
    Warning: "注意", "Careful";
    Why: "いま起きたこと", "What just happened";
    Important: "大事なこと", "Important";
    Reset: "このレッスンを最初からやり直す", "Start this lesson over";
    ResetConfirm: "このレッスンのクラスターと端末を消して、最初からやり直しますか？", "Discard the cluster and the terminals of this lesson and start over?";
    Pause: "止める", "Pause";
    Resume: "動かす", "Resume";
    StepEvent: "次の出来事まで進める", "Run the next event";
    Speed: "時間の速さ", "Speed of time";
    Elapsed: "クラスターの時計", "The cluster's clock";
    Lagging: "このタブでは計算が追いつかないので、クラスターの時間をゆっくり進めています。", "This tab cannot keep up, so the cluster's time runs slower.";
    Loading: "イメージを読み込んでいます", "Loading an image";
    NewTerminal: "新しい端末", "New terminal";
    CloseTerminal: "端末 {n} を閉じる", "Close terminal {n}";
    TerminalN: "端末 {n}", "Terminal {n}";
    ControlPlane: "コントロールプレーン", "Control plane";
    You: "あなた", "You";
    Controllers: "コントローラー", "controllers";
    Services: "Service", "Services";
    Nodes: "ノード", "Nodes";
    Endpoints: "エンドポイント {n}", "endpoints: {n}";
    NodeReady: "Ready", "Ready";
    NodeNotReady: "NotReady", "NotReady";
    Cpu: "CPU {n} / {m}", "CPU {n} of {m}";
    EmptyMap: "まだクラスターがありません。端末で minikube start を実行すると、ここに現れます。", "There is no cluster yet. Run minikube start in the terminal and it appears here.";
    EmptyNode: "Pod はまだありません", "No Pods yet";
    PodPending: "待機中", "Pending";
    PodStarting: "起動中", "Starting";
    PodNotReady: "準備中", "Not ready";
    PodReady: "稼働中", "Running";
    PodTerminating: "終了中", "Terminating";
    PodFailing: "失敗", "Failing";
    PodSucceeded: "完了", "Completed";
    Unscheduled: "ノードを待つ Pod", "Pods waiting for a node";
    ToPods: "→ Pod {n}", "→ {n} Pods";
    ToOnePod: "→ Pod 1", "→ 1 Pod";
    Dock: "端末とそのほかの画面", "Terminals and other views";
    Browser: "ブラウザー", "Browser";
    BrowserLead: "あなたのマシンのブラウザーです。開きたい相手を選ぶか、アドレスを入れてください。", "The browser of your machine. Choose where to go, or type an address.";
    BrowserNothing: "クラスターの外から開ける Service はまだありません。type が NodePort の Service を作ると、ここに現れます。", "No Service can be reached from outside the cluster yet. Create one of type NodePort and it appears here.";
    Address: "アドレス", "Address";
    Open: "開く", "Open";
    Reload: "もう一度読み込む", "Reload";
    Repeat: "毎秒くり返す", "Every second";
    RepeatStop: "くり返しを止める", "Stop";
    RepeatTitle: "クラスターの時計で 1 秒ごとに、同じアドレスを開き続けます", "Opens the same address again every second of the cluster's clock";
    WhoAnswered: "答えた Pod", "Who answered";
    NobodyAnswered: "Pod に届かず", "No Pod reached";
    LastAnswers: "最近の答え {n} 件。古いものから順に並んでいます。", "The last {n} answers, oldest first.";
    TookMs: "{n} ミリ秒", "{n} ms";
    PageCut: "長いので、途中まで表示しています。", "Cut off: the page is longer.";
    PageFrame: "開いたページ", "The page";
    WaitingAnswer: "答えを待っています", "Waiting for the answer";
    NoAddress: "アドレスとして読めません。http://192.168.49.2:30080 のように書いてください。", "This is not an address. Write it like http://192.168.49.2:30080.";
    NotHttp: "ここで開けるのは http:// のアドレスだけです。", "Only http:// addresses can be opened here.";
    UnknownHost: "その名前のホストは見つかりません。", "There is no host of that name.";
    Refused: "接続を断られました。そのポートでは何も待ち受けていません。", "Connection refused: nothing listens on that port.";
    Unreachable: "そこへ届く道がありません。クラスターの中だけのアドレスではありませんか。", "No way leads there. Is it an address that exists only inside the cluster?";
    TimedOut: "答えが返ってきません。あなたのマシンから届かないアドレスかもしれません。", "No answer in time. Your machine may not be able to reach that address.";
    ClosedEarly: "答えの途中で接続が切れました。", "The connection broke before the answer was whole.";
    NotAPage: "返ってきたものを HTTP として読めません。", "What came back is not HTTP.";
    TooManyRedirects: "転送がくり返されて、たどり着けません。", "It redirects again and again.";
    Chain: "しくみ", "How it works";
    ChainLead: "コマンドを打つと、クラスターの中で何がどの順に起きたかを、ここで 1 歩ずつたどれます。", "Change something with a command, and follow here, step by step, what happened inside the cluster.";
    ChainStep: "{n} / {m}", "{n} of {m}";
    ChainNewest: "最新", "Newest";
    ChainMore: "ほかに {n} 件", "and {n} more";
    ChainStations: "コマンドからコンテナまで", "From the command to the container";
    ChainController: "コントローラー", "controllers";
    ChainAsksCreate: "コマンドが API server に、{n} を作るよう頼みました。", "Your command asked the API server to create {n}.";
    ChainAsksChange: "コマンドが API server に、{n} を変えるよう頼みました。", "Your command asked the API server to change {n}.";
    ChainAsksDelete: "コマンドが API server に、{n} を消すよう頼みました。", "Your command asked the API server to delete {n}.";
    ChainStored: "API server は内容を確かめて {n} を etcd に記録し、見守っている部品に知らせました。", "The API server checked it, recorded {n} in etcd, and told the parts that watch.";
    ChainMade: "{m} が知らせを受けて、{n} を作りました。", "The {m} heard of it and created {n}.";
    ChainChanged: "{m} が、{n} を望みの姿に近づけました。", "The {m} brought {n} closer to what is wanted.";
    ChainEnds: "{m} が、{n} を終わらせるよう頼みました。", "The {m} asked for {n} to end.";
    ChainRemoved: "{m} が、{n} を消しました。", "The {m} deleted {n}.";
    ChainEndpoints: "{m} が、届け先の Pod の一覧 {n} を書き直しました。", "The {m} rewrote {n}, the list of Pods that requests go to.";
    ChainChose: "scheduler が、{n} を置くノードとして {m} を選びました。", "The scheduler chose node {m} for {n}.";
    ChainNoPlace: "scheduler は、{n} を置けるノードを見つけられませんでした。", "The scheduler found no node for {n}.";
    ChainPulls: "{m} の kubelet が、{n} のイメージを取り寄せはじめました。", "The kubelet on {m} began to pull the image of {n}.";
    ChainStarted: "{m} の kubelet が、{n} のコンテナを起動しました。", "The kubelet on {m} started the container of {n}.";
    ChainExited: "{m} の kubelet が、{n} のコンテナの終了に気づきました。", "The kubelet on {m} noticed that the container of {n} exited.";
    ChainKilled: "{m} の kubelet が、{n} のコンテナを止めました。", "The kubelet on {m} stopped the container of {n}.";
    ChainReported: "{m} の kubelet が、{n} の状態を API server に報告しました。", "The kubelet on {m} reported the state of {n} to the API server.";
    ChainGone: "{m} の kubelet が片づけを終え、{n} はなくなりました。", "The kubelet on {m} finished cleaning up, and {n} is gone.";
    ChainMachine: "あなたがマシンを操作しました。{n}", "You worked on the machines: {n}";
    Inspector: "詳しく見る", "Inspector";
    InspectorLead: "調べたいものを選んでください。地図の上のものを押しても開きます。", "Choose what to look at, or press something on the map.";
    Summary: "概要", "Summary";
    Log: "ログ", "Log";
    LogEmpty: "まだ何も書かれていません。", "Nothing written yet.";
    LogEnded: "ログはここまでです。", "The log ends here.";
    Container: "コンテナ", "Container";
    OwnedBy: "これを作ったもの", "Owned by";
    Owns: "これが作ったもの", "Owns";
    LeadsTo: "リクエストの届け先", "Leads to";
    RunsHere: "このノードの Pod", "Pods on this node";
    WhyPending: "ノードが決まらない理由", "Why it is Pending";
    WhyThisNode: "このノードになった理由", "Why this node";
    MoreNodes: "ほかに {n} ノードを調べました", "{n} more nodes were looked at";
    RefusedBy: "{n} が断りました", "refused by {n}";
    NodeChosen: "選ばれました", "chosen";
    NodeFits: "置ける", "fits";
    Points: "{n} 点", "{n} points";
    MakesRoom: "{n} が終了して、場所を空けます", "{n} must end to make room";
    CouldMakeRoom: "{n} がなければ置けます", "it would fit without {n}";
    AgainstBudget: "（PodDisruptionBudget に反する Pod: {n}）", "(against a PodDisruptionBudget: {n})";
    TryCommand: "端末で試す", "Try in the terminal";
    DoDeletePod: "この Pod を消す", "Delete this Pod";
    DoStopNode: "このノードを止める", "Stop this node";
    DoStartNode: "このノードを動かす", "Start this node";
    DoScaleUp: "1 つ増やす", "One more";
    DoScaleDown: "1 つ減らす", "One fewer";
    TourName: "画面の見かた", "How this page works";
    TourOffer: "はじめての方へ。画面の見かたを 30 秒で案内します。", "New here? A tour of the page takes 30 seconds.";
    TourTake: "案内を見る", "Take the tour";
    TourDecline: "いらない", "No, thanks";
    TourSkip: "やめる", "Skip";
    TourDone: "はじめる", "Start";
    TourLesson: "レッスンはここです。「実行」を押すと、コマンドが端末に打ち込まれます。自分で打ってもかまいません。", "The lesson is here. Run types a command into the terminal for you. You may also type it yourself.";
    TourMap: "クラスターの地図です。Pod や Service が現れ、リクエストが点になって流れます。気になるものを押すと、中身を調べられます。", "The map of the cluster. Pods and Services appear on it, and requests travel as dots. Press anything to look inside.";
    TourDock: "端末です。何を打っても大丈夫。壊れたら、この手順からやり直せます。右のタブではブラウザーを開いたり、しくみを 1 歩ずつたどったりできます。", "The terminal. Type whatever you like: if it breaks, begin the step again. The tabs at its right open a browser, and follow how things work step by step.";
    TourClock: "クラスターの時計です。止めることも、1 歩ずつ進めることも、10 倍で進めることもできます。F6 キーで、レッスン、地図、端末を行き来できます。", "The cluster's clock. Stop it, step it, or run it ten times as fast. The F6 key goes from lesson to map to terminal.";
    PhoneKeys: "端末のキー", "Terminal keys";
    CheckAnswer: "答え合わせをする", "Check my answer";
    AnswerRight: "正しい", "right";
    AnswerWrong: "違います", "wrong";
    QuizRight: "正解です。", "That is right.";
    QuizWrong: "おしい。考え直して、もう一度どうぞ。", "Not quite. Think again and have another try.";
    CourseProgress: "{m} レッスンのうち {n} レッスンを終えました", "{n} of {m} lessons done";
    StepAgain: "この手順を最初から", "Begin this step again";
    StepAgainConfirm: "クラスターと端末を、この手順を始めたときの姿に戻しますか？", "Take the cluster and the terminals back to where this step began?";
    Close: "閉じる", "Close";
    Events: "イベント", "Events";
    NoEvents: "イベントはありません。", "No events.";
    Gone: "もうありません。", "It no longer exists.";
    Language: "言語", "Language";
    Theme: "明るさを切り替える", "Switch light and dark";
    Divider: "境界を動かす", "Move the divider";
    Restoring: "前回の続きを再現しています {n} / {m}", "Playing your session again: {n} of {m}";
    Preparing: "クラスターを用意しています", "Preparing the cluster";
    Restored: "前回の続きから始めます。", "Back where you left off.";
    NotSaved: "このブラウザでは保存できないため、タブを閉じると続きが失われます。", "This browser does not let us save, so closing the tab loses your session.";
    Editor: "エディター", "Editor";
    Save: "保存", "Save";
    SaveAndClose: "保存して閉じる", "Save and close";
    Cancel: "やめる", "Cancel";
    Unsaved: "保存していない変更があります", "Changes that are not saved";
    ReadOnly: "読み取り専用", "read-only";
    DiscardConfirm: "保存していない変更を捨てて閉じますか？", "Close without saving the changes?";
    NotYaml: "ここは YAML として読めません。", "This cannot be read as YAML.";
    TextTooLong: "長すぎて保存できません。", "This is too long to be saved.";
    EditorHelp: "端末 {n} のコマンドは、このエディターが閉じるのを待っています。Ctrl+S で保存、Esc のあと Tab でエディターの外へ移ります。", "The command in terminal {n} waits until this editor is closed. Ctrl+S saves; Esc, then Tab leaves the text.";
    Session: "セッション", "Session";
    Undo: "最後のコマンドを取り消す", "Undo the last command";
    TerminalBusy: "この端末では、前のコマンドがまだ動いています。終わると、いまのコマンドが動きます。終わらないコマンドは、端末で Ctrl-C を押して止めてから、もう一度「実行」を押してください。", "The command before is still running in this terminal; this one comes after it. If it does not end by itself, stop it with Ctrl-C in the terminal and press Run again.";
    NothingToUndo: "取り消せるコマンドはまだありません。", "There is no command to undo yet.";
    ShareLink: "このセッションのリンクを作る", "Make a link to this session";
    ShareWords: "このリンクを開いた人は、いまの続きから始められます。あなたが入力したコマンドがすべて含まれます。", "Whoever opens this link goes on from here. It holds every command that you typed.";
    LinkSize: "{n} KB / {m} KB", "{n} of {m} KB";
    LinkTooLong: "このセッションはリンクに収まりません。ファイルに保存して渡してください。", "This session does not fit into a link. Save it to a file and hand that over.";
    ExportFile: "ファイルに保存する", "Save to a file";
    ImportFile: "ファイルを開く", "Open a file";
    SessionUnreadable: "このセッションは開けません。", "This session cannot be opened.";
    ReplaceConfirm: "このレッスンには、あなたの続きがすでにあります。受け取ったセッションに置き換えますか？", "You have a session of this lesson already. Replace it with the one you were given?";
    ScreenReader: "端末の文字をスクリーンリーダーで読む", "Read the terminals with a screen reader";
    SavedAsYouGo: "続きはこのブラウザに自動で保存されます。", "Saved in this browser as you go.";
    CopyStrip: "このレッスンは別のタブで開いています。ここでの操作は保存されません。", "This lesson is open in another tab. What you do here is not saved.";
    CopyUnsaved: "別のタブの写しなので、保存されません。", "A copy of another tab; it is not saved.";
    TakeOver: "このタブで続ける", "Continue in this tab";
    UpdateReady: "新しい版の準備ができました。続きは保存されています。", "A new version is ready. Your session is saved.";
    UpdateNow: "新しい版に切り替える", "Switch to it";
    OtherBuild: "前回のあとにこのページが新しくなりました。続きは新しい版で再現したので、違って見えることがあります。", "The page has changed since. Your session was played again by the new version and may look different.";
    Crashed: "クラスターが停止したため、記録から作り直しました。", "The cluster stopped and was brought back from its log.";
    CrashedOften: "クラスターが繰り返し停止しました。このレッスンを最初からやり直してください。", "The cluster keeps stopping. Start this lesson over.";
    Problem: "表示できません", "This cannot be shown";
    NotFound: "そのレッスンはありません。", "There is no such lesson.";
    WorkerFailed: "クラスターを起動できませんでした。ページを読み込み直してください。", "The cluster could not be started. Please reload the page.";
    BuildMismatch: "ページが新しくなりました。読み込み直してください。", "The page has been updated. Please reload it.";
    Dismiss: "閉じる", "Dismiss";
    Home: "レッスン一覧", "All lessons";
    Loaded: "読み込んでいます", "Loading";
    Requests: "通信", "Requests";
    RequestsLead: "通信がどの名前・Service・Pod を通ったのかを、ここで見られます。端末で curl などを実行してみましょう。", "The way of each request shows here: which name, which Service, which Pod. Run curl in a terminal, for example.";
    RequestWay: "{n} への道すじ", "The way to {n}";
    Network: "ネットワーク", "network";
    YourMachine: "あなたのマシン", "your machine";
    RequestGone: "この通信の記録は、もう残っていません。", "What became of this request is no longer kept.";
    RequestShow: "道すじを見る", "Show its way";
    WayHosts: "{n} は、hosts ファイルに {m} と書かれています。", "The hosts file says that {n} is {m}.";
    WayInternet: "{n} はインターネットの名前で、{m} を指しています。", "{n} is a name on the internet, for {m}.";
    WayNotOnInternet: "{n} という名前は見つかりませんでした。", "There is no name {n}.";
    WayAnswered: "{n} をたずねると、{m} と答えが返りました。", "Asked for {n}, it answered {m}.";
    WayNoName: "{n} をたずねると、そんな名前はない、と答えが返りました。", "Asked for {n}, it answered that there is no such name.";
    WayNoRecord: "{n} をたずねると、名前はあるがアドレスはない、と答えが返りました。", "Asked for {n}, it answered that the name has no address.";
    WayFailed: "{n} をたずねましたが、サーバーの中で失敗しました（SERVFAIL）。", "Asked for {n}, the server failed (SERVFAIL).";
    WaySilent: "{n} をたずねましたが、答えはもらえませんでした。", "Asked for {n}, it gave no answer.";
    WayRule: "{n} は、Service {m} の入口です。", "{n} is an entrance of Service {m}.";
    WayChance: "{m} 個の行き先から、{n} をくじ引きのように選びました。", "It chose {n} among {m} endpoints, at random.";
    WayOnly: "行き先は {n} だけです。", "{n} is its only endpoint.";
    WayAffinity: "{m} 個の行き先から、送り主のアドレスをもとに {n} を選びました（sessionAffinity）。", "It chose {n} among {m} endpoints by the sender's address (sessionAffinity).";
    WayNoEndpoints: "Service に準備のできた Pod が 1 つもないので、断りました。", "The Service has no Pod that is ready, so it rejects.";
    WayNoneHere: "このノードには行き先の Pod がなく、トラフィックポリシーが Local なので、捨てました。", "This node has no Pod to send it to and the traffic policy is Local, so it drops it.";
    WayHostPort: "{n} は hostPort で、Pod の {m} につながっています。", "{n} is a hostPort and leads to the Pod at {m}.";
    WayAllowed: "{n} にはきまりがあり、{m} が許しています。", "{n} is restricted, and {m} allows this.";
    WayDenied: "{n} にはきまり（{m}）があり、どれも許していないので捨てられました。", "{n} is restricted by {m}, and nothing allows this: dropped.";
    WayNoPolicy: "どちらの側にもきまりがないので、そのまま通れます。", "Neither end is restricted, so it may pass.";
    WayStays: "ノード {n} の中だけを通ります。", "It stays on node {n}.";
    WayGoes: "{n} から {m} へ送られます。", "From {n} it travels to {m}.";
    WayLost: "途中で失われました。", "It is lost on the way.";
    WayLostAgain: "途中で失われたので、{n} 秒後にもう一度送ります。", "It is lost on the way, and sent again after {n} s.";
    WayArrived: "{n} が受け取りました。送り主は {m} に見えます。", "{n} accepts it, and sees {m} as the sender.";
    WayRefused: "{n} のポート {m} では何も待ち受けていないので、断られました。", "Nothing listens on port {m} of {n}: refused.";
    WayNobody: "{n} というアドレスを持つものはありません。", "Nothing has the address {n}.";
    WayClosed: "{n} へはここから行けません。Pod のネットワークはクラスターの中だけのものです。", "There is no way to {n} from here: the network of Pods is inside the cluster.";
    WayHttp: "{n} に、{m} と答えました。", "{n} is answered with {m}.";
    WayHttpWaits: "{n} の答えはまだ来ていません。", "{n} has no answer yet.";
    WayHttpNever: "{n} の答えは来ないまま、閉じられました。", "{n} was never answered: it was closed before.";
    EndWaiting: "応答待ち", "waiting";
    EndGoing: "つながっています", "open";
    EndGood: "成功", "done";
    EndNoName: "名前がない", "no such name";
    EndRefused: "断られた", "refused";
    EndLost: "届かない", "no answer";
    EndDropped: "捨てられた", "dropped";
    SimulatedNote: "マシン、ネットワーク、時計は模型です。API とその裏側の仕組みは本物と同じように動きます。", "Machines, wires and the clock are a model. The API and the parts behind it work as the real ones do.";
}

/// A text with its places `{n}` and `{m}` filled in.
pub fn fill(text: &str, n: impl ToString, m: impl ToString) -> String {
    text.replace("{n}", &n.to_string()).replace("{m}", &m.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_the_same_in_both_languages() {
        for text in T::ALL {
            for place in ["{n}", "{m}"] {
                let counts = [Language::Ja, Language::En].map(|l| text.get(l).matches(place).count());
                assert_eq!(counts[0], counts[1], "{text:?} {place}");
            }
            assert!(!text.get(Language::Ja).is_empty() && !text.get(Language::En).is_empty(), "{text:?}");
        }
    }
}
