"""Two shelves to search, one Chinese and one English, over the window of `tests.support.window`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tests.support.window import NOW, SHE, Window, settings

from regulars.catalogue.model import Item
from regulars.catalogue.snapshot import SnapshotReader, publish
from regulars.recommendations.config import RecommendationSettings
from regulars.recommendations.model import Answer, Ask
from regulars.recommendations.search.config import SearchSettings
from regulars.recommendations.search.model import SCENE, Question
from regulars.recommendations.search.publishing import PublishSearch
from regulars.recommendations.search.reading import IndexReader
from regulars.recommendations.search.service import Search
from regulars.recommendations.search.suggesting import Suggest
from regulars.recommendations.spelling import to_json

# id, title, category, brand, price in yuan, attributes
_CHINESE = """
cn01|苹果 iPhone 15 Pro 256GB 原色钛金属|数码/手机|Apple|7999|颜色=原色
cn02|苹果 iPhone 15 128GB 粉色|数码/手机|Apple|5499|颜色=粉色
cn03|华为 Mate 60 Pro 12GB+512GB 雅川青|数码/手机|华为|6499|颜色=青色
cn04|小米14 徕卡影像 5G手机 黑色|数码/手机|小米|3999|颜色=黑色
cn05|红米 Note 13 智能手机 蓝色|数码/手机|小米|1199|颜色=蓝色
cn06|苹果手机壳 透明防摔 iPhone15专用|数码/手机配件|绿联|39|材质=硅胶
cn07|华为手机壳 真皮|数码/手机配件|华为|129|材质=真皮
cn08|手机钢化膜 高清防指纹|数码/手机配件|绿联|25|
cn09|65W氮化镓充电器 双口快充|数码/手机配件|绿联|99|
cn10|无线蓝牙耳机 主动降噪|数码/耳机|漫步者|299|
cn11|红色连衣裙 夏季新款 收腰|服饰/女装|茵曼|259|颜色=红色;风格=简约
cn12|白色连衣裙 法式复古|服饰/女装|茵曼|329|颜色=白色;风格=复古
cn13|碎花半身裙 高腰|服饰/女装|茵曼|189|风格=复古
cn14|红色羊绒大衣 女款|服饰/女装|鄂尔多斯|2980|颜色=红色;材质=羊绒
cn15|男士羊绒围巾 灰色|服饰/配饰|鄂尔多斯|499|材质=羊绒
cn16|纯棉T恤 男款 白色|服饰/男装|优衣库|79|材质=棉
cn17|龙井绿茶 明前特级 250克|食品/茶叶|西湖牌|368|
cn18|正山小种红茶 礼盒装|食品/茶叶|八马|298|场合=送礼
cn19|普洱茶饼 熟茶 357克|食品/茶叶|大益|158|
cn20|紫砂茶壶 宜兴手工|家居/茶具|宜兴|680|
cn21|陶瓷茶杯 四只装|家居/茶具|景德镇|88|
cn22|春节礼盒 坚果大礼包|食品/坚果|三只松鼠|168|场合=春节
cn23|每日坚果 750克|食品/坚果|三只松鼠|109|
cn24|婴儿奶粉 3段 900克|母婴/奶粉|飞鹤|298|
cn25|婴儿纸尿裤 L码 76片|母婴/纸尿裤|好奇|139|
cn26|洗发水 控油蓬松 500ml|个护/洗发|海飞丝|49|
cn27|护发素 柔顺修护 500ml|个护/洗发|潘婷|45|
cn28|电动牙刷 声波|个护/口腔|飞利浦|399|
cn29|空气炸锅 5L 大容量|家电/厨房|美的|299|
cn30|红豆沙月饼 中秋礼盒|食品/糕点|稻香村|128|场合=中秋
"""
_ENGLISH = """
85123A|White Hanging Heart T-Light Holder|home/lights||2.95|
21733|Red Hanging Heart T-Light Holder|home/lights||2.95|
mug-red|Red Retrospot Mug|kitchen/mugs|Aa|3.50|colour=red
mug-blue|Blue Stripe Mug|kitchen/mugs|Bb|3.90|colour=blue
mug-set|Set of 4 Mugs in a Box|kitchen/mugs|Bb|12.00|rating=4.8;reviews=400
mug-odd|Plain Mug|kitchen/mugs|Cc|3.40|rating=2.0;reviews=400
teapot|Porcelain Teapot|kitchen/teapots|Aa|19.00|colour=white
choc|Chocolate Box Candle|home/candles|Aa|4.25|
tshirt|Cotton T-Shirt|clothes/shirts|Dd|9.00|colour=red
dress|Summer Dresses for Girls|clothes/dresses|Dd|25.00|
case|iPhone15 Case|phones/cases|Ee|15.00|
phone|iPhone 15 128GB|phones/phones|Ff|899.00|
head|Sony WH-1000XM4 Headphones|phones/audio|Sony|279.00|model=WH-1000XM4
cafe|Café Crème Cup|kitchen/mugs|Aa|6.00|
"""


def shelf(table: str, currency: str) -> tuple[Item, ...]:
    """The items of a table as above."""
    return tuple(_item(line.split("|"), currency) for line in table.strip().splitlines())


def _item(cells: list[str], currency: str) -> Item:
    item_id, title, category, brand, price, attributes = cells
    cents = round(float(price) * 100)
    told = dict(pair.split("=") for pair in attributes.split(";") if pair)
    return Item(
        item_id=item_id,
        title=title,
        category=category,
        brand=brand,
        price_cents=cents,
        list_price_cents=cents,
        currency=currency,
        attributes=told,
        listed_at=NOW,
    )


CHINESE, ENGLISH = shelf(_CHINESE, "CNY"), shelf(_ENGLISH, "GBP")


def search_settings(**changes: Any) -> SearchSettings:
    """The defaults, with changes."""
    return replace(settings().search, **changes)


@dataclass
class Counter:
    """A shop that can be searched. Without `index`, nothing is published and the catalogue is indexed in memory."""

    items: Iterable[Item] = ENGLISH
    changes: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        chosen: RecommendationSettings = replace(settings(), search=search_settings(**self.changes))
        self.window = Window(self.items, settings=chosen)
        self.warnings = self.window.warnings
        reader = IndexReader(
            self.window.storage, lambda: self.window.now, 60, chosen.search, lambda text, _: self.warnings.append(text)
        )
        snapshot = SnapshotReader(self.window.storage, lambda: self.window.now, 60)
        self.search = Search(
            self.window.sources, snapshot, reader, chosen, lambda: self.window.now, lambda text, _: self.warnings.append(text)
        )
        self.suggest = Suggest(self.search)

    def index(self, heat: Mapping[str, float] | None = None) -> None:
        """Publish catalogue and index."""
        snapshot = publish(self.window.storage, self.window.catalogue.scan(), self.window.now)
        PublishSearch(self.window.storage, self.search.settings.search).publish(snapshot, heat or {}, self.window.now)

    def ask(self, text: str, **changes: Any) -> Answer:
        """The answer; changes of the question, or of its `Ask`."""
        return self.search(self.question(text, **changes))

    def question(self, text: str, **changes: Any) -> Question:
        """As asked by her."""
        names = ("shopper", "limit", "category", "exclude", "language", "explain", "country")
        ask = Ask(scene=SCENE, **{"shopper": SHE, **{name: changes.pop(name) for name in names if name in changes}})
        return Question(ask=ask, text=text, **changes)

    def ids(self, text: str, **changes: Any) -> list[str]:
        """The items shown."""
        return [placed.item.item_id for placed in self.ask(text, **changes).items]

    def body(self, text: str, **changes: Any) -> dict[str, Any]:
        """The answer as the API gives it."""
        question = self.question(text, **changes)
        return to_json(self.search(question), question.ask)
